//! `imts config show` and `imts config list`: the settings and where they come from, the profiles.
//!
//! Owns how settings are shown, and what of them is hidden.

use std::env;

use serde_json::{Value, json};

use super::profile::{Origin, Setting};
use super::{file, profile_names};
use crate::args::{ServiceArgs, Settings};
use crate::failure::Failure;
use crate::settings::{SECRET, SecretSource, agent_id, endpoint_of, secret_source};
use crate::{out, store};

/// Prints each setting.
pub(super) fn run(args: &Settings) -> Result<(), Failure> {
    let chosen = &args.service.chosen;
    let mut rows = vec![profile(&args.service)];
    let cached = cached(&args.service);
    rows.extend(chosen.settings.iter().map(|setting| hidden(setting, cached.as_deref())));
    let after_agent =
        rows.iter().position(|row| row.key == "agent_id").map_or(rows.len(), |it| it + 1);
    rows.insert(after_agent, secret(&args.service)?);
    if args.json {
        out::line(json!({ "settings": rows.iter().map(object).collect::<Vec<_>>() }))?;
    } else {
        out::line(table(&rows))?;
        let names = profile_names();
        if chosen.profile.is_none() && !names.is_empty() {
            out::line(format_args!("No profile is named. There are: {}", names.join(", ")))?;
        }
    }
    Ok(())
}

/// Prints the names of the profiles.
pub(super) fn list(json: bool) -> Result<(), Failure> {
    let path = file::path()?;
    let profiles = file::read(&path)?;
    let names: Vec<_> = profiles.iter().map(|profile| profile.name.as_str()).collect();
    let file = path.display().to_string();
    if json {
        out::line(json!({ "file": file, "profiles": names }))?;
    } else {
        let names: String = names.iter().map(|name| format!("\n  {name}")).collect();
        out::line(match names.as_str() {
            "" => format!("{file} has no profile: add one as `imts config --help` shows."),
            names => format!("The profiles of {file}:{names}"),
        })?;
    }
    Ok(())
}

/// Returns where the session is cached, if it is.
fn cached(service: &ServiceArgs) -> Option<String> {
    let (endpoint, agent_id) = (endpoint_of(service).ok()?, agent_id(service).ok()?);
    store::place(service, endpoint.as_str(), agent_id).map(|at| at.to_string())
}

fn profile(service: &ServiceArgs) -> Setting {
    let named = service.chosen.profile.as_ref();
    let value = named.map(|(profile, _)| profile.name.clone());
    let origin = named.map_or(Origin::Default, |(_, origin)| origin.clone());
    Setting { key: "profile", value, origin }
}

/// The secret is named by its source alone.
fn secret(service: &ServiceArgs) -> Result<Setting, Failure> {
    let (value, origin) = match secret_source(service)? {
        None => (None, Origin::Default),
        Some(SecretSource::Text(source)) => {
            let origin = match service.chosen.is_secret_file_given {
                true => Origin::Option("secret-file".to_owned()),
                false if env::var_os(SECRET).is_some() => Origin::Variable(SECRET.to_owned()),
                false => Origin::Variable("IMTS_SECRET_FILE".to_owned()),
            };
            (Some(format!("(hidden, from {source})")), origin)
        }
        Some(SecretSource::Profile(from, place)) => {
            (Some(format!("(hidden, from {from})")), Origin::Profile(place))
        }
    };
    Ok(Setting { key: "secret", value, origin })
}

/// A URL may have a user name and a password: a proxy's by right, the service's by mistake.
fn hidden(setting: &Setting, cached: Option<&str>) -> Setting {
    let mut setting = setting.clone();
    if let Some(value) = &mut setting.value
        && matches!(setting.key, "proxy" | "base_url" | "store" | "journal")
        && let Some((before, host)) =
            value.rsplit_once('@').filter(|(before, _)| !before.is_empty())
    {
        let scheme = before.split_inclusive("://").next().filter(|it| it.ends_with("://"));
        *value = format!("{}(hidden)@{host}", scheme.unwrap_or_default());
    }
    if setting.key == "store" && setting.value.is_none() {
        setting.value = cached.map(|path| format!("(cached session) {path}"));
    }
    if setting.key == "timeout" && matches!(setting.origin, Origin::Default) {
        setting.value = Some("10s, or 30s for `imts call`".to_owned());
    }
    setting
}

fn object(row: &Setting) -> Value {
    let mut object = json!({ "setting": row.key, "value": row.value, "from": "default" });
    match &row.origin {
        Origin::Default if row.value.is_none() => object["from"] = Value::Null,
        Origin::Default => {}
        Origin::Option(name) => {
            object["from"] = "option".into();
            object["name"] = format!("--{name}").into();
        }
        Origin::Variable(name) => {
            object["from"] = "variable".into();
            object["name"] = name.as_str().into();
        }
        Origin::Profile(place) => {
            object["from"] = "profile".into();
            object["name"] = place.profile.as_str().into();
            object["file"] = place.file.display().to_string().into();
            object["line"] = place.line.into();
        }
    }
    object
}

/// How wide the column of values is at most. A longer value moves what follows it.
const WIDEST: usize = 32;

/// Formats the settings for people.
fn table(rows: &[Setting]) -> String {
    let value = |row: &Setting| row.value.clone().unwrap_or_else(|| "(not set)".to_owned());
    let values: Vec<_> = rows.iter().map(value).collect();
    let width = values.iter().map(|value| value.chars().count()).max().unwrap_or_default();
    let width = width.min(WIDEST);
    let mut table = format!("{:21}  {:width$}  FROM", "SETTING", "VALUE");
    for (row, value) in rows.iter().zip(&values) {
        let from = match &row.origin {
            Origin::Default if row.value.is_none() => "-".to_owned(),
            origin => origin.to_string(),
        };
        table.push_str(&format!("\n{:21}  {value:width$}  {from}", row.key));
    }
    table
}
