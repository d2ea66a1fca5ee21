//! Number types: how many bytes one number has on the wire, and from the wire's byte order to the
//! machine's.

/// The type of the numbers in a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NumberType {
    /// 8 bits, signed or not: the owner looks at them as it likes.
    Bits8,
    /// 16 bits, signed or not.
    Bits16,
    /// 32 bits: an integer, signed or not, or a binary32.
    Bits32,
    /// 64 bits: an integer, or a binary64.
    Bits64,
    /// A signed 64-bit integer that the owner gets as the nearest binary64.
    LongAsDouble,
}

impl NumberType {
    /// Bytes of one number, on the wire and in memory.
    #[must_use]
    pub fn size(self) -> usize {
        match self {
            Self::Bits8 => 1,
            Self::Bits16 => 2,
            Self::Bits32 => 4,
            Self::Bits64 | Self::LongAsDouble => 8,
        }
    }

    /// Turns numbers as they are on the wire into numbers as they are in memory, in place. `bytes` is a
    /// whole count of numbers.
    pub fn to_native(self, bytes: &mut [u8]) {
        match self {
            Self::Bits8 => {}
            Self::Bits16 => each(bytes, |number| u16::from_be_bytes(number).to_ne_bytes()),
            Self::Bits32 => each(bytes, |number| u32::from_be_bytes(number).to_ne_bytes()),
            Self::Bits64 => each(bytes, |number| u64::from_be_bytes(number).to_ne_bytes()),
            #[allow(
                clippy::cast_precision_loss,
                reason = "the nearest double is what is asked for"
            )]
            Self::LongAsDouble => each(bytes, |number| {
                (i64::from_be_bytes(number) as f64).to_ne_bytes()
            }),
        }
    }
}

fn each<const SIZE: usize>(bytes: &mut [u8], change: impl Fn([u8; SIZE]) -> [u8; SIZE]) {
    let (numbers, rest) = bytes.as_chunks_mut();
    debug_assert!(rest.is_empty(), "a whole count of numbers");
    for number in numbers {
        *number = change(*number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn from_the_wire_to_memory() {
        let mut shorts = [0x12, 0x34, 0xff, 0xfe];
        NumberType::Bits16.to_native(&mut shorts);
        assert_eq!(shorts[..2], 0x1234u16.to_ne_bytes());
        assert_eq!(shorts[2..], 0xfffeu16.to_ne_bytes());

        let mut double = 1.1f64.to_be_bytes();
        NumberType::Bits64.to_native(&mut double);
        assert_eq!(f64::from_ne_bytes(double).to_bits(), 1.1f64.to_bits());

        let mut long = (-5i64).to_be_bytes();
        NumberType::LongAsDouble.to_native(&mut long);
        assert_eq!(f64::from_ne_bytes(long).to_bits(), (-5.0f64).to_bits());

        let mut longest = i64::MAX.to_be_bytes();
        NumberType::LongAsDouble.to_native(&mut longest);
        assert_eq!(
            f64::from_ne_bytes(longest).to_bits(),
            9_223_372_036_854_775_807f64.to_bits()
        );
    }
}
