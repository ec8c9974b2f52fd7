//! Create and update user: the printed fields and their forms.

use serde_json::{Map, Value};

use super::error::{Invalid, Refused};
use super::person::Person;
use super::request::text;

/// The fields of create user (published).
pub(super) const FIELDS: [&str; 9] = [
    "phone",
    "email",
    "firstname",
    "lastname",
    "date_of_birth",
    "identifier",
    "country",
    "gender",
    "nationality",
];
/// The field that update user has besides (published).
pub(super) const ID: &str = "freedom_id";

/// Reads a user. For an update, its id must be there and known.
pub(super) fn read(
    object: &Map<String, Value>,
    people: &[Person],
    is_update: bool,
) -> Result<Person, Refused> {
    let mut invalid = Invalid::default();
    let id = if is_update { text(object, ID, &mut invalid) } else { "" };
    if !id.is_empty() && !people.iter().any(|known| known.id == id) {
        invalid.selected(ID);
    }
    let phone = text(object, "phone", &mut invalid);
    if !phone.is_empty() && !is_phone(phone) {
        invalid.format("phone");
    }
    let mut optional = |name: &str, fits: fn(&str) -> bool| match object.get(name) {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) if fits(text) => Some(text.clone()),
        Some(_) => {
            invalid.format(name);
            None
        }
    };
    let person = Person {
        id: id.to_owned(),
        phone: phone.to_owned(),
        email: optional("email", is_email),
        firstname: optional("firstname", is_text),
        lastname: optional("lastname", is_text),
        date_of_birth: optional("date_of_birth", is_date),
        identifier: optional("identifier", is_text),
        country: optional("country", |text| {
            text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_uppercase())
        }),
        gender: optional("gender", |text| ["M", "F"].contains(&text)),
        nationality: optional("nationality", is_text),
    };
    let others = || people.iter().filter(|known| known.id != person.id);
    if others().any(|known| known.phone == person.phone) {
        invalid.taken("phone");
    }
    if person.email.is_some() && others().any(|known| known.email == person.email) {
        invalid.taken("email");
    }
    invalid.check()?;
    Ok(person)
}

/// `^\+\d{10,15}$` (published).
fn is_phone(text: &str) -> bool {
    text.strip_prefix('+').is_some_and(|digits| {
        (10..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
    })
}

fn is_email(text: &str) -> bool {
    let parts = text.split_once('@');
    parts.is_some_and(|(name, host)| !name.is_empty() && host.contains('.') && !host.contains('@'))
}

fn is_text(text: &str) -> bool {
    !text.is_empty() && text.chars().count() <= 255
}

/// `Y-m-d` (published).
fn is_date(text: &str) -> bool {
    let numbers: Vec<_> = text.split('-').map(str::parse::<u32>).collect();
    let sizes: Vec<_> = text.split('-').map(str::len).collect();
    sizes == [4, 2, 2]
        && matches!(numbers[..], [Ok(_), Ok(month), Ok(day)] if (1..=12).contains(&month) && (1..=31).contains(&day))
}
