//! The text of an environment variable, as its writer meant it.

/// Returns a variable's text without a byte order mark at its start and a line break at its end:
/// editors and shells put them there.
pub(crate) fn trimmed(text: &str) -> &str {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    text.strip_suffix('\n').map_or(text, |text| text.strip_suffix('\r').unwrap_or(text))
}
