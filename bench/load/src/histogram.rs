//! Latencies in nanoseconds, in buckets at most 0.8 % wide: fixed memory and no sorting at the end.

const SUB_BITS: u32 = 7;
const SUB: usize = 1 << SUB_BITS;
/// One group of exact values, then one group per further power of two of a u64.
const BUCKETS: usize = SUB * (64 - SUB_BITS as usize + 1);

#[derive(Debug)]
pub(crate) struct Histogram {
    buckets: Vec<u64>,
    count: u64,
}

impl Histogram {
    pub(crate) fn new() -> Self {
        Self {
            buckets: vec![0; BUCKETS],
            count: 0,
        }
    }

    pub(crate) fn clear(&mut self) {
        self.buckets.fill(0);
        self.count = 0;
    }

    pub(crate) fn record(&mut self, nanoseconds: u64) {
        self.buckets[index(nanoseconds)] += 1;
        self.count += 1;
    }

    /// The lower edge of the bucket that holds the given part (in thousandths) of all values.
    pub(crate) fn per_mille(&self, part: u64) -> u64 {
        let rank = (self.count * part).div_ceil(1000).max(1);
        let mut seen = 0;
        for (i, n) in self.buckets.iter().enumerate() {
            seen += n;
            if seen >= rank {
                return lower_edge(i);
            }
        }
        0
    }
}

fn index(value: u64) -> usize {
    let shift = (u64::BITS - value.leading_zeros()).saturating_sub(SUB_BITS + 1);
    let mantissa = usize::try_from(value >> shift).unwrap_or(usize::MAX);
    shift as usize * SUB + mantissa
}

fn lower_edge(index: usize) -> u64 {
    let shift = (index / SUB).saturating_sub(1);
    ((index - shift * SUB) as u64) << shift
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_lands_in_a_bucket_at_most_a_128th_below_it() {
        for value in (0..1000)
            .chain((10..64).flat_map(|bit| [(1 << bit) - 1, 1 << bit, (1 << bit) + 12345]))
            .chain([u64::MAX])
        {
            let edge = lower_edge(index(value));
            assert!(
                edge <= value && value - edge <= value / 128,
                "{value} landed at {edge}"
            );
        }
    }

    #[test]
    fn percentiles_of_a_ramp() {
        let mut histogram = Histogram::new();
        (1..=100).for_each(|v| histogram.record(v));
        assert_eq!(
            (
                histogram.per_mille(500),
                histogram.per_mille(990),
                histogram.per_mille(1000)
            ),
            (50, 99, 100)
        );
    }
}
