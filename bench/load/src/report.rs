//! What goes to stdout, and the clock of a run: warm-up, then a measured window.

use crate::Result;
use std::fmt::Write as _;
use std::io::Write as _;
use std::time::{Duration, Instant};

/// How long nothing may happen before the run counts as failed.
pub(crate) const STALL: Duration = Duration::from_secs(5);

/// One JSON object on a line of its own, flushed: the reader acts on the moment it arrives.
pub(crate) fn emit(event: &str, numbers: &[(&str, f64)]) -> Result<()> {
    let mut line = format!("{{\"event\":\"{event}\"");
    for (name, value) in numbers {
        write!(line, ",\"{name}\":{value}")?;
    }
    line.push_str("}\n");
    let mut out = std::io::stdout().lock();
    out.write_all(line.as_bytes())?;
    Ok(out.flush()?)
}

#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
pub(crate) fn float(count: u64) -> f64 {
    count as f64
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Tick {
    /// Nothing changes.
    Go,
    /// The warm-up is over: what was counted so far does not count.
    Begin,
    /// The measured window is over.
    End,
}

#[derive(Debug)]
pub(crate) struct Window {
    begin: Instant,
    length: Duration,
    measuring: bool,
}

impl Window {
    pub(crate) fn new(warmup: Duration, length: Duration) -> Self {
        Self {
            begin: Instant::now() + warmup,
            length,
            measuring: false,
        }
    }

    pub(crate) fn tick(&mut self, now: Instant) -> Result<Tick> {
        if self.measuring {
            return Ok(if now.duration_since(self.begin) >= self.length {
                Tick::End
            } else {
                Tick::Go
            });
        }
        if now < self.begin {
            return Ok(Tick::Go);
        }
        self.measuring = true;
        self.begin = now;
        emit("measure", &[])?;
        Ok(Tick::Begin)
    }

    /// The real length of the window, which a late wake-up makes a little longer than asked for.
    pub(crate) fn elapsed(&self, now: Instant) -> f64 {
        now.duration_since(self.begin).as_secs_f64()
    }
}
