//! Text from outside: which bytes are text, and credentials that were copied badly.

use imts_core::Credentials;
use imts_core::secret::CredentialsError;
use imts_core::text::{self, TextError};

const MARK: &str = "\u{feff}";

#[test]
fn one_mark_and_one_line_break_are_not_part_of_a_text() {
    for before in ["", MARK] {
        for after in ["", "\n", "\r\n"] {
            for inside in ["s", " s t ", "s\u{a0}", "\u{2003}s", "пароль"] {
                let raw = [before, inside, after].concat();
                assert_eq!(text::line(raw.as_bytes()), Ok(inside), "{raw:?}");
                assert_eq!(text::document(raw.as_bytes()), Ok(inside), "{raw:?}");
            }
        }
    }
}

#[test]
fn a_line_that_its_reader_cannot_see_is_an_error_that_says_what_it_has() {
    let invisible = |character| TextError::Invisible { line: 1, character };
    for (raw, error) in [
        ("", TextError::Blank),
        (MARK, TextError::Blank),
        ("\u{a0}\t\n", TextError::Blank),
        ("\n\n", TextError::Blank),
        ("s\n\n", TextError::Lines),
        ("s\nt", TextError::Lines),
        ("s\r", TextError::Lines),
        ("s\t", invisible('\t')),
        ("st\0", invisible('\0')),
        ("s\u{7f}", invisible('\u{7f}')),
        ("s\u{85}", invisible('\u{85}')),
        ("s\u{ad}", invisible('\u{ad}')),
        ("s\u{180e}", invisible('\u{180e}')),
        ("s\u{200b}", invisible('\u{200b}')),
        ("s\u{2028}", invisible('\u{2028}')),
        ("s\u{fe0f}", invisible('\u{fe0f}')),
        ("s\u{e0041}", invisible('\u{e0041}')),
        ("\u{feff}\u{feff}s", invisible('\u{feff}')),
    ] {
        assert_eq!(text::line(raw.as_bytes()), Err(error), "{raw:?}");
    }
}

#[test]
fn a_document_has_lines_and_no_control_character_and_errors_name_the_line() {
    let lines = "{\n\t\"имя\": \"a\u{200d}b\"\r\n}\n";
    assert_eq!(text::document(lines.as_bytes()), Ok(lines.trim_end_matches('\n')));
    for blank in ["", MARK, " \n\t\r\n", "\n\n\n"] {
        assert_eq!(text::document(blank.as_bytes()), Err(TextError::Blank), "{blank:?}");
    }
    for (line, raw) in [(1, "a b\0\nc"), (2, "a\nb\0c"), (3, "a\r\nb\n\0\n")] {
        let error = TextError::Invisible { line, character: '\0' };
        assert_eq!(text::document(raw.as_bytes()), Err(error), "{raw:?}");
    }
    for (line, raw) in [(1, &b"ab\xff\nc"[..]), (2, b"a\n\xffc"), (3, b"a\n\nc\xd0")] {
        assert_eq!(text::document(raw), Err(TextError::NotUtf8 { line }), "{raw:?}");
    }
    assert_eq!(text::line(b"s\xff"), Err(TextError::NotUtf8 { line: 1 }));
}

#[test]
fn utf_16_is_named_with_its_mark_or_without() {
    let text = "{\"a\": 1}";
    let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let marked = [&[0xff, 0xfe][..], &little].concat();
    let marked_big = [&[0xfe, 0xff][..], &big].concat();
    for raw in [little, big, marked, marked_big] {
        assert_eq!(text::line(&raw), Err(TextError::Utf16), "{raw:?}");
        assert_eq!(text::document(&raw), Err(TextError::Utf16), "{raw:?}");
        assert_eq!(text::unmarked(&raw), Err(TextError::Utf16), "{raw:?}");
    }
}

#[test]
fn a_text_whose_reader_decodes_it_loses_its_mark_alone() {
    assert_eq!(text::unmarked(b"\xef\xbb\xbf\xd6\n"), Ok(&b"\xd6\n"[..]));
    assert_eq!(text::unmarked(b"\xd6\n"), Ok(&b"\xd6\n"[..]));
    assert_eq!(text::unmarked(b""), Ok(&b""[..]));
}

#[test]
fn credentials_that_were_copied_badly_are_refused_and_the_error_names_which() {
    for (odd, why) in [
        ("", TextError::Blank),
        (" \t", TextError::Blank),
        ("hidden\n", TextError::Lines),
        ("hidden\r\n", TextError::Lines),
        ("hid\nden", TextError::Lines),
        ("hidden\0", TextError::Invisible { line: 1, character: '\0' }),
        ("hidden\u{200b}", TextError::Invisible { line: 1, character: '\u{200b}' }),
        ("\u{feff}hidden", TextError::Invisible { line: 1, character: '\u{feff}' }),
    ] {
        let good = || Credentials::new("agent", "s3cret").unwrap();
        for (result, error, which) in [
            (Credentials::new(odd, "s3cret"), CredentialsError::AgentId(why), "the agent id "),
            (Credentials::new("agent", odd), CredentialsError::Secret(why), "the agent secret "),
            (good().with_code(odd), CredentialsError::Code(why), "the code "),
        ] {
            let found = result.unwrap_err();
            assert_eq!(found, error, "{odd:?}");
            let shown = found.to_string();
            assert!(shown.starts_with(which) && !shown.contains("hid"), "{shown}");
        }
    }
    assert!(Credentials::new(" agent 7 ", " пароль \u{a0}").is_ok());
}
