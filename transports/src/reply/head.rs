//! Reads the head of a response: its status and its header lines.

use std::mem;

use super::Unreadable;
use super::chunk::content;

/// How the end of a body is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    Length(u64),
    Chunked,
    /// The end of the connection is the end of the body.
    Close,
}

/// A head, line by line, as far as it was received. One value serves all responses of a connection,
/// so that its buffers are allocated once.
#[derive(Debug, Default)]
pub(super) struct Head {
    /// Whether the request was a `HEAD`, whose response has no body.
    is_bodiless: bool,
    /// The line that has begun, if its end was not received yet.
    line: Vec<u8>,
    /// A header line that continuations may follow, if `is_open`.
    open: Vec<u8>,
    is_open: bool,
    kept: Kept,
    /// How many bytes were received, interim responses included.
    length: usize,
    lines: usize,
}

/// The part of one response that has been read.
#[derive(Debug, Default)]
struct Kept {
    status: Option<Status>,
    /// The head in its canonical form, as far as it was read.
    text: Vec<u8>,
    count: usize,
    content_length: Option<u64>,
    is_chunked: bool,
}

#[derive(Clone, Copy, Debug)]
struct Status {
    minor: u8,
    code: u16,
}

impl Head {
    /// Begins the next response.
    pub(super) fn begin(&mut self, is_bodiless: bool) {
        (self.is_bodiless, self.is_open) = (is_bodiless, false);
        self.line.clear();
        self.kept.clear();
        (self.length, self.lines) = (0, 0);
    }

    /// Takes bytes up to the end of the head. Returns how many, and the framing once the head is
    /// whole.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Result<(usize, Option<Framing>), Unreadable> {
        let mut taken = 0;
        while let Some(rest) = bytes.get(taken..).filter(|rest| !rest.is_empty()) {
            let end = rest.iter().position(|byte| *byte == b'\n').map(|at| at + 1);
            let (piece, after) = rest.split_at(end.unwrap_or(rest.len()));
            taken += piece.len();
            self.length += piece.len();
            if self.length > LONGEST {
                return Err(Unreadable::TooLong);
            }
            if end.is_none() {
                self.line.extend_from_slice(piece);
                break;
            }
            let framing = if self.line.is_empty() {
                self.line(content(piece), after.first())?
            } else {
                let mut line = mem::take(&mut self.line);
                line.extend_from_slice(piece);
                let framing = self.line(content(&line), after.first());
                line.clear();
                self.line = line;
                framing?
            };
            if framing.is_some() {
                return Ok((taken, framing));
            }
        }
        Ok((taken, None))
    }

    /// Returns the whole head in its canonical form.
    pub(super) fn text(&self) -> &[u8] {
        &self.kept.text
    }

    /// Takes a line, and looks at the byte that follows it, if that was received.
    fn line(&mut self, line: &[u8], next: Option<&u8>) -> Result<Option<Framing>, Unreadable> {
        self.lines += 1;
        if self.lines > MOST_LINES {
            return Err(Unreadable::TooLong);
        }
        let Some(status) = self.kept.status else {
            // Empty lines before a status line are accepted (RFC 9112, section 2.2).
            if !line.is_empty() {
                self.kept.begin(Status::read(line).ok_or(Unreadable::Status)?);
            }
            return Ok(None);
        };
        if let [b' ' | b'\t', ..] = line {
            return self.folded(line).map(|()| None);
        }
        if mem::take(&mut self.is_open) {
            self.kept.header(&self.open)?;
        }
        if !line.is_empty() {
            if next.is_some_and(|next| !matches!(next, b' ' | b'\t')) {
                return self.kept.header(line).map(|()| None);
            }
            self.open.clear();
            self.open.extend_from_slice(line);
            self.is_open = true;
            return Ok(None);
        }
        match status.code {
            101 => Err(Unreadable::Upgrade),
            100..=199 => {
                self.kept.clear();
                Ok(None)
            }
            _ => self.kept.whole(status, self.is_bodiless).map(Some),
        }
    }

    /// Takes a line that continues the one before (RFC 9112, section 5.2): its line break becomes a
    /// blank.
    fn folded(&mut self, line: &[u8]) -> Result<(), Unreadable> {
        let is_framing = |text: &[u8]| mentions_framing(text.split(|it| *it == b':').next());
        let has_colon = line.contains(&b':');
        if (has_colon && is_framing(line)) || (self.is_open && is_framing(&self.open)) {
            return Err(Unreadable::Framing);
        }
        if self.is_open {
            self.open.push(b' ');
            self.open.extend_from_slice(line.trim_ascii());
        }
        Ok(())
    }
}

impl Kept {
    fn clear(&mut self) {
        let mut text = mem::take(&mut self.text);
        text.clear();
        *self = Self { text, ..Self::default() };
    }

    /// Begins a head with its status line.
    fn begin(&mut self, status: Status) {
        self.status = Some(status);
        self.text.extend_from_slice(b"HTTP/1.");
        self.number(status.minor.into());
        self.text.push(b' ');
        self.number(status.code.into());
        self.text.extend_from_slice(b" \r\n");
    }

    /// Writes a number in decimal digits.
    fn number(&mut self, number: u64) {
        let (mut digits, mut rest, mut begin) = ([b'0'; 20], number, 20);
        for (at, digit) in digits.iter_mut().enumerate().rev() {
            *digit |= u8::try_from(rest % 10).unwrap_or_default();
            (rest, begin) = (rest / 10, at);
            if rest == 0 {
                break;
            }
        }
        self.text.extend_from_slice(digits.get(begin..).unwrap_or_default());
    }

    /// Takes a header line. A malformed line is left out, unless it could have framed the body.
    fn header(&mut self, line: &[u8]) -> Result<(), Unreadable> {
        let Some((name, value)) = well_formed(line) else {
            // A control byte before the colon is not a small mistake: this is not HTTP.
            let name = line.split(|byte| *byte == b':').next().unwrap_or_default();
            return match () {
                () if !name.iter().all(is_text) => Err(Unreadable::Status),
                () if mentions_framing(Some(line)) => Err(Unreadable::Framing),
                () => Ok(()),
            };
        };
        if name.eq_ignore_ascii_case(b"content-length") {
            return self.content_length(value);
        }
        if name.eq_ignore_ascii_case(b"transfer-encoding") {
            // The client offered no other coding, and a coding that is applied twice has no certain
            // end.
            let is_plain = value.eq_ignore_ascii_case(b"chunked") && !self.is_chunked;
            self.is_chunked = true;
            return if is_plain { Ok(()) } else { Err(Unreadable::Framing) };
        }
        let is_wanted = || WANTED.iter().any(|wanted| name.eq_ignore_ascii_case(wanted));
        if line.len() > LONGEST_LINE || (self.count >= MOST_KEPT && !is_wanted()) {
            return Ok(());
        }
        // The headers that are read are never so many that they reach a client's own limit.
        if self.count < MOST_KEPT + WANTED.len() {
            self.count += 1;
            for piece in [name, b": ", value, b"\r\n"] {
                self.text.extend_from_slice(piece);
            }
        }
        Ok(())
    }

    /// Reads a length. Each value must be the same number: another reader may take another one of
    /// them.
    fn content_length(&mut self, value: &[u8]) -> Result<(), Unreadable> {
        for value in value.split(|byte| *byte == b',') {
            let value = value.trim_ascii();
            let is_number = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
            let number = std::str::from_utf8(value).ok().and_then(|it| it.parse().ok());
            let number = number.filter(|_| is_number).ok_or(Unreadable::Framing)?;
            if self.content_length.replace(number).is_some_and(|other| other != number) {
                return Err(Unreadable::Framing);
            }
        }
        Ok(())
    }

    /// Ends a head with what frames its body.
    fn whole(&mut self, status: Status, is_bodiless: bool) -> Result<Framing, Unreadable> {
        let has_both = self.is_chunked && self.content_length.is_some();
        if has_both || (self.is_chunked && status.minor == 0) {
            return Err(Unreadable::Framing);
        }
        let framing = match self.content_length {
            // These have no body, whatever their headers say (RFC 9112, section 6.3).
            _ if is_bodiless || matches!(status.code, 204 | 304) => Framing::Length(0),
            Some(length) => {
                self.text.extend_from_slice(b"content-length: ");
                self.number(length);
                self.text.extend_from_slice(b"\r\n");
                Framing::Length(length)
            }
            None if self.is_chunked => {
                self.text.extend_from_slice(b"transfer-encoding: chunked\r\n");
                Framing::Chunked
            }
            None => Framing::Close,
        };
        self.text.extend_from_slice(b"\r\n");
        Ok(framing)
    }
}

impl Status {
    fn read(line: &[u8]) -> Option<Self> {
        let minor = match line.strip_prefix(b"HTTP/1.")?.first()? {
            b'0' => 0,
            b'1' => 1,
            _ => return None,
        };
        let digits = line.get(8..)?.strip_prefix(b" ")?;
        let (digits, reason) = digits.split_at_checked(3)?;
        let is_reason = reason.is_empty() || reason.first() == Some(&b' ');
        if !is_reason || !digits.iter().all(u8::is_ascii_digit) || !reason.iter().all(is_text) {
            return None;
        }
        let code = std::str::from_utf8(digits).ok()?.parse().ok()?;
        (code >= 100).then_some(Self { minor, code })
    }
}

/// Returns the name and the value of a header line, if both are as RFC 9110, section 5, requires.
fn well_formed(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let (name, value) = line.split_at_checked(colon)?;
    let value = value.get(1..)?.trim_ascii();
    let is_name = !name.is_empty() && name.iter().all(is_token);
    (is_name && value.iter().all(is_text)).then_some((name, value))
}

/// Returns whether a byte may be part of a name.
fn is_token(byte: &u8) -> bool {
    TOKEN[usize::from(*byte)]
}

/// For each byte, whether it may be part of a name: one look instead of up to twenty comparisons.
const TOKEN: [bool; 256] = {
    let (mut token, mut byte, others) = ([false; 256], 0_u8, b"!#$%&'*+-.^_`|~");
    while byte < 128 {
        token[byte as usize] = byte.is_ascii_alphanumeric();
        byte += 1;
    }
    let mut at = 0;
    while at < others.len() {
        token[others[at] as usize] = true;
        at += 1;
    }
    token
};

/// Returns whether a byte may be part of a value, or of a reason.
fn is_text(byte: &u8) -> bool {
    *byte == b'\t' || (*byte >= b' ' && *byte != 0x7f)
}

/// Returns whether another reader may take a malformed text for a line that frames the body.
fn mentions_framing(text: Option<&[u8]>) -> bool {
    let text = text.unwrap_or_default().to_ascii_lowercase();
    let has = |name: &[u8]| text.windows(name.len()).any(|it| it == name);
    has(b"content-length") || has(b"transfer-encoding")
}

/// The headers that the session reads.
const WANTED: [&[u8]; 5] =
    [b"content-type", b"date", b"retry-after", b"connection", b"content-encoding"];

/// The most headers that are passed on, in addition to those that are wanted.
const MOST_KEPT: usize = 64;

/// The longest header line that is passed on, in bytes.
const LONGEST_LINE: usize = 8_192;

/// The most lines of a head, interim responses included.
const MOST_LINES: usize = 512;

/// The longest head in bytes, interim responses included.
const LONGEST: usize = 64_000;
