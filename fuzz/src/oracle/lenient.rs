//! What refuses a sign-in or a refresh, in any form: the second opinion.
//!
//! The rules are those of the vectors' `README.md`. No function of the client is used here, and no
//! JSON but that of [`json`](super::json).

use super::json::{Kind, Value, first, name};

/// Whether a body says `state: false` and nothing else; or, if `error_shapes` count, has the error
/// shape of one of the vendor's other APIs and no state.
pub(crate) fn refuses(body: &[u8], error_shapes: bool) -> bool {
    let text = text(body);
    let Some(start) = text.find('{').filter(|start| !text[..*start].contains('<')) else {
        return false;
    };
    let members = members(&text[start + 1..]);
    let named = |wanted: &str| -> Vec<Option<Value<'_>>> {
        let these = members.iter().filter(|member| member.0.as_deref() == Some(wanted));
        these.map(|member| member.1).collect()
    };
    let all = |values: &[Option<Value<'_>>], is_so: &dyn Fn(Value<'_>) -> bool| {
        !values.is_empty() && values.iter().all(|value| value.is_some_and(is_so))
    };
    let states = named("state");
    if !states.is_empty() || !error_shapes {
        return all(&states, &|state| state.kind == Kind::False);
    }
    let says_error = |value: Value<'_>| value.string().as_deref() == Some("error");
    // The first of these that can be read.
    let error = named("error").into_iter().flatten().next();
    let described = error.filter(|error| error.kind == Kind::Object).is_some_and(|error| {
        let inside = members_of(error);
        ["message", "code"].iter().any(|word| inside.iter().any(|name| name == word))
    });
    all(&named("status"), &says_error) || described
}

fn members_of(object: Value<'_>) -> Vec<String> {
    members(&object.text()[1..]).into_iter().filter_map(|(name, _)| name).collect()
}

type Member<'a> = (Option<String>, Option<Value<'a>>);

/// The members that follow an object's brace, the last one without a value if it cannot be read.
fn members(mut rest: &str) -> Vec<Member<'_>> {
    let mut members = Vec::new();
    while let Some((name, after)) = name(rest) {
        let value = first(after).filter(|(value, after)| match after.chars().next() {
            // More digits may have been cut off.
            None => value.kind != Kind::Number,
            Some(next) => next == ',' || next == '}',
        });
        members.push((name.string(), value.map(|(value, _)| value)));
        match value.and_then(|(_, after)| after.strip_prefix(',')) {
            Some(next) => rest = next,
            None => break,
        }
    }
    members
}

/// The text of a body, as far as it matters for names and literals: those are ASCII.
fn text(body: &[u8]) -> String {
    let text = match body {
        [0xff, 0xfe, rest @ ..] => wide(rest, false),
        [0xfe, 0xff, rest @ ..] => wide(rest, true),
        [b'{', 0, ..] => wide(body, false),
        [0, b'{', ..] => wide(body, true),
        _ => String::from_utf8_lossy(body).into_owned(),
    };
    let seen = text.chars().filter(|character| !['\0', '\u{feff}'].contains(character));
    seen.map(|character| if character.is_control() { ' ' } else { character }).collect()
}

fn wide(bytes: &[u8], is_big: bool) -> String {
    let unit = |pair: &[u8]| match (is_big, pair) {
        (true, [high, low]) | (false, [low, high]) => u16::from_be_bytes([*high, *low]),
        _ => 0,
    };
    String::from_utf16_lossy(&bytes.chunks(2).map(unit).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::refuses;

    #[test]
    fn the_second_opinion_knows_a_refusal_from_what_is_near_to_one() {
        for body in [
            "{\"state\":false}",
            "\u{feff}x{\"a\":0x1",
            "{\"a\":1,\"state\": false ",
            "{\"status\":\"error\"}",
            "{\"error\":{\"code\":1}}",
        ] {
            assert_eq!(refuses(body.as_bytes(), true), !body.contains("0x1"), "{body}");
        }
        for body in [
            "{\"state\":0}",
            "{\"state\":falsehood}",
            "<{\"state\":false}",
            "{\"state\":true,\"state\":false}",
            "{\"state\":null,\"status\":\"error\"}",
            "{\"status\":\"ok\"}",
            "{\"error\":\"message\"}",
            "",
        ] {
            assert!(!refuses(body.as_bytes(), true), "{body}");
        }
        assert!(!refuses(b"{\"status\":\"error\"}", false));
        assert!(refuses(b"\xff\xfe{\0\"\0s\0t\0a\0t\0e\0\"\0:\0f\0a\0l\0s\0e\0", false));
    }
}
