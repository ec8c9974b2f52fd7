//! What to do about a refusal, by what the service said.
//!
//! Owns the words that are looked for, in English and in Russian, the languages of the vendor. They
//! choose only what people are advised to do: never a kind, an exit code, or what is sent.

use imts::error::Refusal;

/// What a refusal is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum About {
    SlowDown,
    Busy,
    NotServed,
    Locked,
    NotAllowed,
    Credentials,
    FieldMissing,
    FieldWrong,
    Other,
}

/// Says what to do about a refused sign-in.
pub(crate) fn of_sign_in(refusal: &Refusal) -> String {
    match about(refusal) {
        About::SlowDown => slow_down(refusal),
        About::Busy => later(refusal),
        About::NotServed => {
            "Check the base URL: the service does not serve this operation there.".to_owned()
        }
        About::Locked => LOCKED.to_owned(),
        About::NotAllowed => {
            "The service does not allow this agent, or this machine's address. Ask \
                              the service's support to allow it. The secret may be right."
                .to_owned()
        }
        About::Credentials => {
            "Check the agent id and the secret: the service does not accept them.".to_owned()
        }
        About::FieldMissing => "The service says that a field is missing or empty. Check that the \
                                agent id and the secret are complete."
            .to_owned(),
        About::FieldWrong => "The service says that a field has a wrong type or form. Check the \
                              agent id and the secret: one of them may be cut, or be another's."
            .to_owned(),
        About::Other => "Do what the service's message says. If it has none, check the agent id \
                         and the secret, and ask the service's support."
            .to_owned(),
    }
}

/// Says what to do about a refused call.
pub(crate) fn of_call(refusal: &Refusal) -> String {
    match about(refusal) {
        About::SlowDown => slow_down(refusal) + " Nothing was done.",
        About::Busy => "Nothing was done: try again later.".to_owned(),
        About::NotServed => {
            "Check the path and the base URL: the service does not serve this operation there."
                .to_owned()
        }
        About::Locked => LOCKED.to_owned(),
        About::NotAllowed | About::Credentials => {
            "The service does not permit this agent to do that: ask the service's support."
                .to_owned()
        }
        About::FieldMissing => "A field of the request is missing or empty: add it. The vendor's \
                                page lists the fields."
            .to_owned(),
        About::FieldWrong => "A field of the request has a wrong type or form: correct it. The \
                              vendor's page lists the fields."
            .to_owned(),
        About::Other => "Check the request's fields against the vendor's page.".to_owned(),
    }
}

const LOCKED: &str =
    "The service has locked or disabled this agent: ask the service's support to unlock it.";

fn slow_down(refusal: &Refusal) -> String {
    match refusal.retry_after() {
        Some(after) => format!(
            "Send requests less often. Wait {} before you try again, as the service asks.",
            humantime::format_duration(after)
        ),
        None => "Send requests less often, and wait before you try again: there were too many."
            .to_owned(),
    }
}

fn later(refusal: &Refusal) -> String {
    match refusal.retry_after() {
        Some(after) => format!(
            "Wait {} before you try again, as the service asks.",
            humantime::format_duration(after)
        ),
        None => "This is a fault of the service. Try again later.".to_owned(),
    }
}

fn about(refusal: &Refusal) -> About {
    let words = [refusal.code(), refusal.message()].map(Option::unwrap_or_default).join(" ");
    by_status_and_words(refusal.status().as_u16(), &words.to_lowercase())
}

/// The words decide, apart from the statuses whose meaning no text changes.
fn by_status_and_words(status: u16, words: &str) -> About {
    match status {
        404 | 405 => return About::NotServed,
        429 => return About::SlowDown,
        408 | 425 | 500.. => return About::Busy,
        _ => {}
    }
    let says = |what: &str| {
        let lines = WORDS.lines().filter_map(|line| line.split_once(": "));
        lines.filter(|(about, _)| *about == what).any(|(_, part)| words.contains(part))
    };
    let names_address = words.split(|c: char| !c.is_alphanumeric()).any(|word| word == "ip");
    if says("slow-down") {
        About::SlowDown
    } else if says("locked") {
        About::Locked
    } else if says("empty") {
        About::FieldMissing
    } else if names_address || says("not-allowed") {
        About::NotAllowed
    } else if says("credentials") {
        About::Credentials
    } else if says("missing") {
        About::FieldMissing
    } else if says("wrong") {
        About::FieldWrong
    } else {
        match status {
            401 => About::Credentials,
            403 => About::NotAllowed,
            _ => About::Other,
        }
    }
}

/// What refusals say. A line holds what it is about and a part of a text.
const WORDS: &str = include_str!("advice/words.txt");

#[cfg(test)]
mod tests {
    use super::by_status_and_words;

    #[test]
    fn what_was_said_decides_and_then_the_status() {
        let cases = include_str!("advice/cases.txt").lines().skip(1);
        let mut count = 0;
        for case in cases {
            let [status, text, about] = case.split('|').collect::<Vec<_>>()[..] else {
                panic!("{case}")
            };
            let status = status.trim().parse().unwrap();
            let found = by_status_and_words(status, &text.trim().to_lowercase());
            assert_eq!(format!("{found:?}"), about.trim(), "{case}");
            count += 1;
        }
        assert!(count >= 25, "{count}");
    }
}
