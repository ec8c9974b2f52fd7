//! An input of `service_file`: the file, or what its tables say.

use imts::services;

use crate::changes::changes;

/// So many tables are written of an input: one that is refused is enough for the whole file.
const MOST: usize = 8;

/// One operation's table.
struct Table {
    name: String,
    path: Option<String>,
    class: Option<String>,
    evidence: Option<String>,
    statuses: Vec<String>,
    codes: Vec<String>,
    more: Vec<String>,
}

impl Table {
    /// A table that is good as it is, of the operation of this number.
    fn of(name: &str, number: usize) -> Self {
        let is_built_in = listed().contains(&name.to_owned());
        Self {
            name: quoted(name),
            path: Some(format!("'/v6/{number}'")),
            class: (!is_built_in).then(|| "'read'".to_owned()),
            evidence: None,
            statuses: Vec::new(),
            codes: Vec::new(),
            more: Vec::new(),
        }
    }

    fn write(&self, file: &mut String) {
        let fields = [("path", &self.path), ("class", &self.class), ("evidence", &self.evidence)];
        *file += &format!("[operation.{}]\n", self.name);
        for (name, value) in fields.iter().filter_map(|(name, it)| Some((name, it.as_ref()?))) {
            *file += &format!("{name} = {value}\n");
        }
        if !self.statuses.is_empty() || !self.codes.is_empty() {
            let (statuses, codes) = (self.statuses.join(", "), self.codes.join(", "));
            *file += &format!(
                "decided_before_processing = {{ statuses = [{statuses}], codes = [{codes}] }}\n"
            );
        }
        for line in &self.more {
            *file += &format!("{line}\n");
        }
    }
}

/// The file that these lines put together; see [`service_file`](super) for their forms.
pub(super) fn put_together(lines: &[u8]) -> String {
    let (mut version, mut top, mut tables) = (Some("1".to_owned()), Vec::new(), Vec::new());
    for change in changes(lines) {
        let rest = String::from_utf8_lossy(change.rest).into_owned();
        let toml = change.json.map(|json| String::from_utf8_lossy(&json).into_owned());
        if change.letter == b'o' {
            let is_raw = toml.as_deref() == Some(rest.as_str());
            let mut table = Table::of(&named(&rest), tables.len());
            if is_raw {
                table.name = rest;
            } else if tables.iter().any(|other: &Table| other.name == table.name) {
                continue;
            }
            if tables.len() < MOST {
                tables.push(table);
            }
            continue;
        }
        match (change.letter, tables.last_mut()) {
            (b'v', _) => version = toml.map(|_| rest),
            (b'X', None) => top.push(rest),
            (b'X', Some(table)) => table.more.push(rest),
            (b'p', Some(table)) => table.path = toml,
            (b'c', Some(table)) => table.class = word(toml, ["read", "create", "money"]),
            (b'e', Some(table)) => table.evidence = word(toml, ["published", "draft", "assumed"]),
            (b's', Some(table)) if rest.parse::<i64>().is_ok() => table.statuses.push(rest),
            (b'k', Some(table)) => table.codes.extend(toml),
            _ => {}
        }
    }
    let mut file = version.map(|it| format!("version = {it}\n")).unwrap_or_default();
    for line in top {
        file += &format!("{line}\n");
    }
    for table in &tables {
        table.write(&mut file);
    }
    file
}

/// The built-in operation of this number, or the one of this name.
fn named(text: &str) -> String {
    let listed = listed();
    let number = text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().unwrap_or(0));
    match number.and_then(|number: usize| listed.get(number % listed.len())) {
        Some(name) => name.clone(),
        None => text.to_owned(),
    }
}

/// The word that begins with this letter, if the text is one letter.
fn word(toml: Option<String>, words: [&str; 3]) -> Option<String> {
    let toml = toml?;
    let short = words.into_iter().find(|word| toml == quoted(&word[..1]));
    Some(short.map_or(toml, quoted))
}

/// A key as a basic string of TOML, which has the escapes of JSON.
fn quoted(name: &str) -> String {
    serde_json::Value::from(name).to_string()
}

/// The names that the vendor lists: the token exchanges, then the operations.
fn listed() -> Vec<String> {
    let tokens = services::transfer::tokens();
    let exchanges = [tokens.sign_in().name(), "refresh-token"].map(str::to_owned);
    let catalogue = services::transfer::catalogue();
    exchanges.into_iter().chain(catalogue.iter().map(|it| it.name().to_owned())).collect()
}
