//! JSON by the grammar of RFC 8259 alone: what is a document, and what its strings say.
//!
//! Numbers need no value and escapes no meaning to be grammatical. Nesting has no limit here.

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Null,
    True,
    False,
    Number,
    Text,
    List,
    Object,
}

/// A value that keeps to the grammar, and where it stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Value<'a> {
    pub(crate) kind: Kind,
    text: &'a str,
}

/// The one value that a text is made of, or `None` if the text is not JSON.
pub(crate) fn document(text: &str) -> Option<Value<'_>> {
    let mut scan = Scan { text, at: 0 };
    scan.space();
    let value = scan.value()?;
    scan.space();
    (scan.at == text.len()).then_some(value)
}

/// The value that a text begins with, and what stands behind it and its white space.
pub(crate) fn first(text: &str) -> Option<(Value<'_>, &str)> {
    let mut scan = Scan { text, at: 0 };
    scan.space();
    let value = scan.value()?;
    scan.space();
    Some((value, &text[scan.at..]))
}

/// The name that a text begins with, and what stands behind its colon.
pub(crate) fn name(text: &str) -> Option<(Value<'_>, &str)> {
    let (name, rest) = first(text).filter(|(name, _)| name.kind == Kind::Text)?;
    Some((name, rest.strip_prefix(':')?))
}

impl<'a> Value<'a> {
    /// The value as it stands.
    pub(crate) fn text(self) -> &'a str {
        self.text
    }

    /// What a string says; `None` if it is not a string, or has half a surrogate pair.
    pub(crate) fn string(self) -> Option<String> {
        let inside = self.text.strip_prefix('"')?.strip_suffix('"')?;
        let mut said = String::new();
        let mut chars = inside.chars();
        while let Some(next) = chars.next() {
            said.push(if next == '\\' { escaped(&mut chars)? } else { next });
        }
        Some(said)
    }

    /// The members of an object, in order, repeated ones too; `None` for a name of which nobody can
    /// say what it says.
    pub(crate) fn members(self) -> Option<Vec<(Option<String>, Value<'a>)>> {
        let mut scan = Scan { text: self.text, at: 0 };
        let mut members = Vec::new();
        scan.eat('{').then_some(())?;
        scan.space();
        while !scan.eat('}') {
            let name = scan.at;
            scan.string()?;
            let name = Value { kind: Kind::Text, text: &self.text[name..scan.at] };
            scan.colon()?;
            members.push((name.string(), scan.value()?));
            scan.space();
            if scan.eat(',') {
                scan.space();
            }
        }
        Some(members)
    }
}

fn escaped(chars: &mut std::str::Chars<'_>) -> Option<char> {
    Some(match chars.next()? {
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'u' => {
            let first = hex(chars)?;
            if !(0xd800..0xdc00).contains(&first) {
                return char::from_u32(first);
            }
            (chars.next()? == '\\' && chars.next()? == 'u').then_some(())?;
            let second = hex(chars).filter(|half| (0xdc00..0xe000).contains(half))?;
            return char::from_u32(0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00));
        }
        itself => itself,
    })
}

fn hex(chars: &mut std::str::Chars<'_>) -> Option<u32> {
    (0..4).try_fold(0, |sum, _| Some(sum * 16 + chars.next()?.to_digit(16)?))
}

struct Scan<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scan<'a> {
    /// Passes one whole value, however deep.
    fn value(&mut self) -> Option<Value<'a>> {
        let start = self.at;
        let kind = match self.peek()? {
            b'n' => Kind::Null,
            b't' => Kind::True,
            b'f' => Kind::False,
            b'"' => Kind::Text,
            b'[' => Kind::List,
            b'{' => Kind::Object,
            _ => Kind::Number,
        };
        let mut open = Vec::new();
        loop {
            match self.peek()? {
                b'n' => self.word("null")?,
                b't' => self.word("true")?,
                b'f' => self.word("false")?,
                b'"' => self.string()?,
                b'[' => {
                    self.at += 1;
                    self.space();
                    if !self.eat(']') {
                        open.push(']');
                        continue;
                    }
                }
                b'{' => {
                    self.at += 1;
                    self.space();
                    if !self.eat('}') {
                        self.name()?;
                        open.push('}');
                        continue;
                    }
                }
                _ => self.number()?,
            }
            loop {
                let Some(close) = open.last() else {
                    return Some(Value { kind, text: &self.text[start..self.at] });
                };
                self.space();
                if self.eat(*close) {
                    open.pop();
                    continue;
                }
                let in_object = *close == '}';
                self.eat(',').then_some(())?;
                self.space();
                if in_object {
                    self.name()?;
                }
                break;
            }
        }
    }

    fn name(&mut self) -> Option<()> {
        self.string()?;
        self.colon()
    }

    fn colon(&mut self) -> Option<()> {
        self.space();
        self.eat(':').then_some(())?;
        self.space();
        Some(())
    }

    fn string(&mut self) -> Option<()> {
        self.eat('"').then_some(())?;
        loop {
            match self.next()? {
                b'"' => return Some(()),
                b'\\' => match self.next()? {
                    b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => {}
                    b'u' => {
                        for _ in 0..4 {
                            self.next()?.is_ascii_hexdigit().then_some(())?;
                        }
                    }
                    _ => return None,
                },
                0..0x20 => return None,
                _ => {}
            }
        }
    }

    fn number(&mut self) -> Option<()> {
        self.eat('-');
        if !self.eat('0') {
            self.digits()?;
        }
        if self.eat('.') {
            self.digits()?;
        }
        if self.eat('e') || self.eat('E') {
            let _ = self.eat('+') || self.eat('-');
            self.digits()?;
        }
        Some(())
    }

    fn digits(&mut self) -> Option<()> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        (self.at > start).then_some(())
    }

    fn word(&mut self, word: &str) -> Option<()> {
        self.text.get(self.at..)?.starts_with(word).then(|| self.at += word.len())
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn eat(&mut self, wanted: char) -> bool {
        let found = self.peek() == u8::try_from(wanted).ok();
        self.at += usize::from(found);
        found
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }
}
