//! Reads files and stdin up to a limit.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// Reads a file's text. Fails if the file is longer than `limit` bytes.
pub(crate) fn text_of(path: &Path, limit: u64) -> io::Result<String> {
    text(File::open(path)?, limit)
}

/// Reads all text of a source. Fails if it is longer than `limit` bytes.
pub(crate) fn text(source: impl Read, limit: u64) -> io::Result<String> {
    let wrong = |message: String| io::Error::new(io::ErrorKind::InvalidData, message);
    let mut bytes = Vec::new();
    source.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(wrong(format!("longer than {limit} bytes")));
    }
    String::from_utf8(bytes).map_err(|_| wrong("not UTF-8".to_owned()))
}
