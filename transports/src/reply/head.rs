//! The head of a reply: its status and its header lines.

use super::Unreadable;
use super::chunk::content;

/// How the end of a body shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    Length(u64),
    Chunked,
    /// By the end of the connection.
    Close,
}

/// A head in its canonical form, and how the end of the body after it shows.
pub(super) type Whole = (Vec<u8>, Framing);

/// A head, line by line, as far as it has come.
#[derive(Debug)]
pub(super) struct Head {
    /// Whether the request was a `HEAD`, whose reply has no body.
    is_bodiless: bool,
    /// The line that has begun.
    line: Vec<u8>,
    /// A header line whose continuations may follow.
    open: Option<Vec<u8>>,
    kept: Kept,
    /// How much came, interim replies included.
    length: usize,
    lines: usize,
}

/// What has been read of one reply.
#[derive(Debug, Default)]
struct Kept {
    status: Option<Status>,
    headers: Vec<u8>,
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
    pub(super) fn new(is_bodiless: bool) -> Self {
        let (line, open, kept) = (Vec::new(), None, Kept::default());
        Self { is_bodiless, line, open, kept, length: 0, lines: 0 }
    }

    /// Takes bytes up to the end of a line: how many, and the head in its canonical form with its
    /// framing once it is whole.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Result<(usize, Option<Whole>), Unreadable> {
        let end = bytes.iter().position(|byte| *byte == b'\n');
        let taken = end.map_or(bytes.len(), |at| at + 1);
        self.line.extend(bytes.iter().take(taken));
        self.length += taken;
        if self.length > LONGEST {
            return Err(Unreadable::TooLong);
        }
        if end.is_none() {
            return Ok((taken, None));
        }
        let line = std::mem::take(&mut self.line);
        Ok((taken, self.line(content(&line))?))
    }

    fn line(&mut self, line: &[u8]) -> Result<Option<Whole>, Unreadable> {
        self.lines += 1;
        if self.lines > MOST_LINES {
            return Err(Unreadable::TooLong);
        }
        let Some(status) = self.kept.status else {
            // Empty lines before a status line are forgiven (RFC 9112, section 2.2).
            if !line.is_empty() {
                self.kept.status = Some(Status::read(line).ok_or(Unreadable::Status)?);
            }
            return Ok(None);
        };
        if let [b' ' | b'\t', ..] = line {
            return self.folded(line).map(|()| None);
        }
        if let Some(open) = self.open.take() {
            self.kept.header(&open)?;
        }
        if !line.is_empty() {
            self.open = Some(line.to_vec());
            return Ok(None);
        }
        match status.code {
            101 => Err(Unreadable::Upgrade),
            100..=199 => {
                self.kept = Kept::default();
                Ok(None)
            }
            _ => self.kept.whole(status, self.is_bodiless).map(Some),
        }
    }

    /// A line that continues the one before (RFC 9112, section 5.2): its line break becomes a blank.
    fn folded(&mut self, line: &[u8]) -> Result<(), Unreadable> {
        let is_framing = |text: &[u8]| mentions_framing(text.split(|it| *it == b':').next());
        let has_colon = line.contains(&b':');
        if (has_colon && is_framing(line)) || self.open.as_deref().is_some_and(is_framing) {
            return Err(Unreadable::Framing);
        }
        if let Some(open) = &mut self.open {
            open.push(b' ');
            open.extend_from_slice(line.trim_ascii());
        }
        Ok(())
    }
}

impl Kept {
    /// Takes a header line. A malformed one is left out, unless it could have framed the body.
    fn header(&mut self, line: &[u8]) -> Result<(), Unreadable> {
        let Some((name, value)) = well_formed(line) else {
            // A control byte before the colon is no slip of a pen: this is not HTTP.
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
            // No other coding was offered, and one that is applied twice has no certain end.
            let is_plain = value.eq_ignore_ascii_case(b"chunked") && !self.is_chunked;
            self.is_chunked = true;
            return if is_plain { Ok(()) } else { Err(Unreadable::Framing) };
        }
        let is_wanted = WANTED.iter().any(|wanted| name.eq_ignore_ascii_case(wanted));
        if line.len() > LONGEST_LINE || (self.count >= MOST_KEPT && !is_wanted) {
            return Ok(());
        }
        // Those that are read are never so many that a client's own limit is met.
        if self.count < MOST_KEPT + WANTED.len() {
            self.count += 1;
            for piece in [name, b": ", value, b"\r\n"] {
                self.headers.extend_from_slice(piece);
            }
        }
        Ok(())
    }

    /// Each value has to be the same number: another reader may take another one of them.
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

    fn whole(&mut self, status: Status, is_bodiless: bool) -> Result<Whole, Unreadable> {
        let Status { minor, code } = status;
        let has_both = self.is_chunked && self.content_length.is_some();
        if has_both || (self.is_chunked && minor == 0) {
            return Err(Unreadable::Framing);
        }
        let mut text = format!("HTTP/1.{minor} {code} \r\n").into_bytes();
        text.append(&mut self.headers);
        let framing = match self.content_length {
            // These have none, whatever their headers say (RFC 9112, section 6.3).
            _ if is_bodiless || matches!(code, 204 | 304) => Framing::Length(0),
            Some(length) => {
                text.extend_from_slice(format!("content-length: {length}\r\n").as_bytes());
                Framing::Length(length)
            }
            None if self.is_chunked => {
                text.extend_from_slice(b"transfer-encoding: chunked\r\n");
                Framing::Chunked
            }
            None => Framing::Close,
        };
        text.extend_from_slice(b"\r\n");
        Ok((text, framing))
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

/// The name and the value of a header line, if both are what RFC 9110, section 5, says.
fn well_formed(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let (name, value) = line.split_at_checked(colon)?;
    let value = value.get(1..)?.trim_ascii();
    let is_token = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    let is_name = !name.is_empty() && name.iter().all(is_token);
    (is_name && value.iter().all(is_text)).then_some((name, value))
}

/// Whether a byte may stand in a value, or in a reason.
fn is_text(byte: &u8) -> bool {
    *byte == b'\t' || (*byte >= b' ' && *byte != 0x7f)
}

/// Whether a malformed text may be read by somebody as a line that frames the body.
fn mentions_framing(text: Option<&[u8]>) -> bool {
    let text = text.unwrap_or_default().to_ascii_lowercase();
    let has = |name: &[u8]| text.windows(name.len()).any(|it| it == name);
    has(b"content-length") || has(b"transfer-encoding")
}

/// What the session reads of a reply.
const WANTED: [&[u8]; 5] =
    [b"content-type", b"date", b"retry-after", b"connection", b"content-encoding"];

/// The most headers that are handed on, but for those that are wanted.
const MOST_KEPT: usize = 64;

/// The longest header line that is handed on.
const LONGEST_LINE: usize = 8_192;

/// The most lines of a head, interim replies included.
const MOST_LINES: usize = 512;

/// The most bytes of a head, interim replies included.
const LONGEST: usize = 64_000;
