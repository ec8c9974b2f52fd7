//! Amounts: exact, in hundredths of the main unit.

use std::fmt;

/// 0.01 to 99,999,999, with at most two decimals (published).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Amount(u64);

impl Amount {
    pub(super) fn new(text: &str) -> Option<Self> {
        let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if !is_number(whole) || !is_number(decimals) || whole.len() > 8 || decimals.len() > 2 {
            return None;
        }
        let hundredths = format!("{whole}{decimals:0<2}").parse().ok()?;
        (1..=9_999_999_900).contains(&hundredths).then_some(Self(hundredths))
    }

    /// Returns what is left after the fee of the printed example: 482.5 of 500.
    pub(super) fn net(self) -> Self {
        Self(self.0 * 965 / 1_000)
    }
}

impl fmt::Display for Amount {
    /// Prints the amount without zeros behind the last decimal, as it comes back from the service: an
    /// amount that was sent as `20.00` came as `20` (seen by an integrator).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, decimals) = (self.0 / 100, format!("{:02}", self.0 % 100));
        match decimals.trim_end_matches('0') {
            "" => write!(f, "{whole}"),
            decimals => write!(f, "{whole}.{decimals}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_come_back_without_zeros_at_their_end() {
        for (sent, back) in [("20.00", "20"), ("500", "500"), ("0.01", "0.01"), ("10.50", "10.5")] {
            assert_eq!(Amount::new(sent).unwrap().to_string(), back);
        }
        assert_eq!(Amount::new("500").unwrap().net().to_string(), "482.5");
        for text in ["", "0", "1.001", "-1", "1e3", "100000000", "99999999.01", "1.", ".5"] {
            assert_eq!(Amount::new(text), None, "{text}");
        }
    }
}
