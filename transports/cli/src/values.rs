//! Prints durations and dates.

use std::time::Duration;

use chrono::SecondsFormat;
use imts::time::Wall;

/// Returns a duration as a JSON number of seconds: an integer if it is whole.
pub(crate) fn seconds(duration: Duration) -> serde_json::Value {
    if duration.subsec_nanos() == 0 {
        duration.as_secs().into()
    } else {
        duration.as_secs_f64().into()
    }
}

/// Formats a date by RFC 3339, in the form of the service's own replies.
pub(crate) fn date(wall: Wall) -> String {
    wall.to_datetime().map_or_else(
        || "a date beyond the calendar".to_owned(),
        |date| date.to_rfc3339_opts(SecondsFormat::AutoSi, false),
    )
}
