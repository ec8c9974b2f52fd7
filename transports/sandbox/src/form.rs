//! Answers in a form other than the published one: types, encodings, framing.

use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderValue, Response};
use serde::{Deserialize, Serialize};

/// The form of an answer. The answer's content stays the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Form {
    /// No `Content-Type`.
    NoType,
    /// `Content-Type: text/html`.
    HtmlType,
    /// `Content-Type: application/json, application/json`.
    DoubledType,
    /// Two headers `Content-Type`, the first of them `text/html`.
    TwoTypes,
    /// A byte order mark before the body.
    ByteOrderMark,
    /// A body with a field in Russian, in windows-1251.
    #[serde(rename = "windows_1251")]
    Windows1251,
    /// A body in UTF-16, with a byte order mark.
    #[serde(rename = "utf_16")]
    Utf16,
    /// A body with bytes after its end.
    TrailingBytes,
    /// A body in chunks with extensions (RFC 9112, section 7.1.1). The socket front acts it out.
    Chunked,
    /// `Content-Encoding: gzip`, and a body that is not compressed.
    GzipDeclared,
}

/// A response's extension: the socket front sends the body in chunks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct InChunks;

impl Form {
    /// Every form.
    pub const EACH: [Self; 10] = [
        Self::NoType,
        Self::HtmlType,
        Self::DoubledType,
        Self::TwoTypes,
        Self::ByteOrderMark,
        Self::Windows1251,
        Self::Utf16,
        Self::TrailingBytes,
        Self::Chunked,
        Self::GzipDeclared,
    ];

    /// Returns whether the body is still one JSON object in UTF-8, with at most a byte order mark
    /// before it.
    #[must_use]
    pub const fn is_whole(self) -> bool {
        !matches!(self, Self::Windows1251 | Self::Utf16 | Self::TrailingBytes)
    }

    /// Changes an answer to this form.
    pub(crate) fn give(self, response: &mut Response<Vec<u8>>) {
        let (headers, html) = (response.headers_mut(), HeaderValue::from_static("text/html"));
        match self {
            Self::NoType => drop(headers.remove(CONTENT_TYPE)),
            Self::HtmlType => drop(headers.insert(CONTENT_TYPE, html)),
            Self::DoubledType => {
                let doubled = HeaderValue::from_static("application/json, application/json");
                headers.insert(CONTENT_TYPE, doubled);
            }
            Self::TwoTypes => {
                headers.insert(CONTENT_TYPE, html);
                headers.append(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            }
            Self::GzipDeclared => {
                headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            }
            Self::Chunked => drop(response.extensions_mut().insert(InChunks)),
            Self::ByteOrderMark => drop(response.body_mut().splice(..0, *b"\xef\xbb\xbf")),
            Self::TrailingBytes => response.body_mut().extend_from_slice(b"\r\n}<!-- 17 ms -->"),
            Self::Windows1251 => {
                let text = String::from_utf8_lossy(response.body()).into_owned();
                let noted = text.replacen('{', "{\"note\":\"Ответ сервера\",", 1);
                *response.body_mut() = noted.chars().map(windows_1251).collect();
            }
            Self::Utf16 => {
                let text = format!("\u{feff}{}", String::from_utf8_lossy(response.body()));
                *response.body_mut() = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
            }
        }
    }
}

/// Encodes a letter of Russian or of ASCII. Any other letter becomes a question mark.
fn windows_1251(letter: char) -> u8 {
    match letter {
        'А'..='я' => u8::try_from(u32::from(letter) - 0x350).unwrap_or(b'?'),
        _ => u8::try_from(letter).ok().filter(u8::is_ascii).unwrap_or(b'?'),
    }
}

/// Encodes a body in two chunks, each with an extension.
pub(crate) fn chunks(body: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let (first, second) = body.split_at(body.len() / 2);
    for (chunk, extension) in [(first, ";part=\"1;\\\"x\\\"\""), (second, " ; part = 2;last")] {
        if !chunk.is_empty() {
            bytes.extend_from_slice(format!("{:x}{extension}\r\n", chunk.len()).as_bytes());
            bytes.extend_from_slice(chunk);
            bytes.extend_from_slice(b"\r\n");
        }
    }
    bytes.extend_from_slice(b"0;end\r\n\r\n");
    bytes
}
