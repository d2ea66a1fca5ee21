//! Whether a frame is one JSON text, and how deep it is.

use serde::de::IgnoredAny;

/// What is wrong with a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    /// It is no JSON text (RFC 8259), or not UTF-8.
    NotJson,
    /// It has more levels of arrays and objects than are allowed.
    TooDeep,
}

/// Checks a frame, without making anything of it.
///
/// # Errors
/// It is no JSON, or has more than `max_depth` levels.
pub fn check(frame: &[u8], max_depth: u32) -> Result<(), Problem> {
    let text = std::str::from_utf8(frame).map_err(|_| Problem::NotJson)?;
    // Values that are ignored are not nested on the stack.
    serde_json::from_str::<IgnoredAny>(text).map_err(|_| Problem::NotJson)?;
    if is_deeper_than(frame, max_depth) {
        return Err(Problem::TooDeep);
    }
    Ok(())
}

/// `json` is JSON.
fn is_deeper_than(json: &[u8], max_depth: u32) -> bool {
    // Every level has two brackets.
    if json.len() / 2 <= max_depth as usize {
        return false;
    }
    let (mut depth, mut in_string, mut escaped) = (0, false, false);
    for byte in json {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => {
                depth += 1;
                if depth > max_depth {
                    return true;
                }
            }
            b']' | b'}' if !in_string => depth -= 1,
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_and_nothing_else() {
        for good in ["1", "null", " [1, {\"a\": \"\\ud800\"}] ", "\"ü\"", "1e999"] {
            assert_eq!(check(good.as_bytes(), 9), Ok(()), "{good}");
        }
        let bad: [&[u8]; 9] = [
            b"",
            b" ",
            b"1 2",
            b"[1,]",
            b"{a:1}",
            b"NaN",
            b"\"\xff\"",
            b"\"a",
            b"\xef\xbb\xbf1",
        ];
        for bad in bad {
            assert_eq!(check(bad, 9), Err(Problem::NotJson), "{bad:?}");
        }
    }

    #[test]
    fn levels_are_counted_outside_of_strings() {
        assert_eq!(check(b"[[[]]]", 3), Ok(()));
        assert_eq!(check(b"[[[]]]", 2), Err(Problem::TooDeep));
        assert_eq!(check(b"[{},{},[\"[[[[[[[\\\"[[[[[[[\"]]", 2), Ok(()));
        assert_eq!(check(b"[\"\\\\\",[[[]]]]", 3), Err(Problem::TooDeep));
        let deep = "[".repeat(1_000_000) + &"]".repeat(1_000_000);
        assert_eq!(check(deep.as_bytes(), 1024), Err(Problem::TooDeep));
        assert_eq!(check(deep.as_bytes(), u32::MAX), Ok(()));
    }
}
