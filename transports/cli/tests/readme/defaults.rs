//! The table of defaults.

use std::collections::BTreeMap;
use std::time::Duration;

use imts::journal::Reconcile;
use imts::tls::Tls;
use imts::transport::Bounds;
use imts::{Builder, Endpoint, HyperTransport, JournalFile, Policy, TransportError, UreqTransport};

use crate::{DEFAULTS, quoted, rows, subcommands, told};

/// One row: what, default, unit, where.
struct Row {
    what: String,
    default: String,
    unit: String,
    whose: String,
}

fn table() -> Vec<Row> {
    let row = |cells: Vec<String>| {
        let [what, default, unit, whose] = cells.try_into().expect("four cells");
        Row { what: what.trim_matches('`').to_owned(), default, unit, whose }
    };
    rows(DEFAULTS).into_iter().map(row).collect()
}

impl Row {
    /// The number that it prints, in the form that `Debug` has for the same.
    fn value(&self) -> String {
        let number = self.default.replace(',', "");
        let word = self.unit.split([' ', ',']).next().unwrap_or_default();
        let unit = match word {
            "ms" | "s" => word,
            _ => "",
        };
        match number.parse::<u64>() {
            Ok(number) if unit == "ms" => format!("{:?}", Duration::from_millis(number)),
            Ok(number) if unit == "s" => format!("{:?}", Duration::from_secs(number)),
            Ok(number) => number.to_string(),
            Err(_) => match number.as_str() {
                "no" => "false".to_owned(),
                "yes" => "true".to_owned(),
                "once" => "Once".to_owned(),
                "signs in" => "SignIn".to_owned(),
                "never" => "Never".to_owned(),
                "none" => "None".to_owned(),
                "uses it up" => "UsesUp".to_owned(),
                // Of the library as a whole, and of the core.
                other => match other
                    .split_once("(")
                    .and_then(|(_, core)| core.split_once(" in the core"))
                {
                    Some((core, _)) => core.to_owned(),
                    None => panic!("{}: a default that this test cannot read: {other}", self.what),
                },
            },
        }
    }
}

/// Fields and values of a struct, as its `Debug` prints them.
fn fields(debug: &str) -> BTreeMap<String, String> {
    let (_, inside) = debug.split_once(" { ").unwrap();
    let inside = inside.strip_suffix(" }").unwrap().trim_end_matches(", ..");
    let (mut fields, mut depth, mut field) = (BTreeMap::new(), 0, String::new());
    for letter in inside.chars().chain([',']) {
        match letter {
            '(' | '{' | '[' => depth += 1,
            ')' | '}' | ']' => depth -= 1,
            _ => {}
        }
        if letter == ',' && depth == 0 {
            let (name, value) = field.trim().split_once(": ").unwrap();
            fields.insert(name.to_owned(), value.to_owned());
            field.clear();
        } else {
            field.push(letter);
        }
    }
    fields
}

fn is_time(value: &str) -> bool {
    let number = value.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    number.len() < value.len() && number.parse::<f64>().is_ok()
}

/// Holds the rows of one place to its values: each row has its value, and each value its row.
fn compare(whose: &str, values: &BTreeMap<String, String>) {
    let table = table();
    let rows: BTreeMap<_, _> = table
        .iter()
        .filter(|row| quoted(&row.whose).contains(&whose))
        .map(|row| (row.what.clone(), row.value()))
        .collect();
    assert_eq!(&rows, values, "left: the page's rows of {whose}; right: its defaults");
}

#[test]
fn the_policys_rows_are_its_fields_with_their_defaults() {
    let fields = fields(&format!("{:?}", Policy::default()));
    assert!(fields.len() >= 19, "{fields:?}");
    compare("Policy", &fields);
}

#[test]
fn the_builders_rows_are_the_times_of_a_client() {
    let endpoint = Endpoint::https("https://sandbox.example").unwrap();
    let send = |_: http::Request<imts::secret::Body>, _: Bounds| {
        Err::<http::Response<Vec<u8>>, _>(TransportError::unknown())
    };
    let client = Builder::new(endpoint).blocking(send).unwrap();
    let mut fields = fields(&format!("{client:?}"));
    fields.retain(|_, value| is_time(value));
    compare("Builder", &fields);
}

#[test]
fn the_rows_of_a_reconciliation_are_its_times() {
    let mut fields = fields(&format!("{:?}", Reconcile::default()));
    fields.retain(|_, value| is_time(value));
    compare("Reconcile", &fields);
}

#[test]
fn the_rows_of_a_journals_options_are_what_it_keeps() {
    let options = fields(&format!("{:?}", JournalFile::options()));
    let mut settings = fields(&options["settings"]);
    settings.remove("on_compaction");
    for value in settings.values_mut() {
        let some = value.strip_prefix("Some(").and_then(|it| it.strip_suffix(')'));
        *value = some.unwrap_or(value).to_owned();
    }
    compare("JournalOptions", &settings);
}

#[test]
fn the_transports_rows_are_the_times_that_both_are_made_of() {
    let tls = Tls::platform().unwrap();
    for (whose, debug) in [
        ("UreqBuilder", format!("{:?}", UreqTransport::builder(tls.clone()))),
        ("HyperBuilder", format!("{:?}", HyperTransport::builder(tls.clone()))),
    ] {
        let named = fields(&debug).into_iter().filter(|(_, value)| is_time(value));
        let named = named.map(|(name, value)| (name.replace('_', " "), value)).collect();
        compare(whose, &named);
    }
}

/// The times that a command has by default: its flags with their values.
fn times(command: &[&str]) -> BTreeMap<String, String> {
    let help = told(&[command, &["--help"]].concat());
    let mut times = BTreeMap::new();
    let mut flag = "";
    for line in help.lines() {
        let line = line.trim();
        if let Some(at) = line.find("--").filter(|_| line.starts_with('-')) {
            flag = line[at..].split(' ').next().unwrap_or_default();
        }
        let default = line.split_once("[default: ").and_then(|(_, rest)| rest.split_once(']'));
        if let Some((default, _)) = default.filter(|(default, _)| is_time(default)) {
            let default = humantime::parse_duration(default).unwrap();
            times.insert(format!("imts {} {flag}", command.join(" ")), format!("{default:?}"));
        }
    }
    times
}

#[test]
fn the_commands_rows_are_the_times_that_their_flags_have_by_default() {
    let mut all = BTreeMap::new();
    for command in subcommands(&[]) {
        all.extend(times(&[&command]));
        for below in subcommands(&[&command]) {
            all.extend(times(&[&command, &below]));
        }
    }
    assert!(all.len() >= 5, "{all:?}");
    let rows: BTreeMap<_, _> = table()
        .iter()
        .filter(|row| row.whose == "the command")
        .map(|row| (row.what.clone(), row.value()))
        .collect();
    assert_eq!(rows, all, "left: the page's rows of the command; right: its defaults");
}

#[test]
fn no_row_is_of_a_place_that_no_test_here_looks_at() {
    for row in table() {
        let known =
            ["Policy", "Builder", "Reconcile", "JournalOptions", "UreqBuilder", "HyperBuilder"];
        let is_known = quoted(&row.whose).iter().any(|place| known.contains(place));
        assert!(is_known || row.whose == "the command", "{}: {:?}", row.what, row.whose);
    }
}
