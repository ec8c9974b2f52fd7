//! `imts operations`: lists the service's operations, and how certain each is.

use std::time::Duration;

use imts::endpoint::ServicePath;
use imts::service::Tokens;
use imts::{Class, Evidence, Service};
use serde_json::{Value, json};

use crate::args::Operations;
use crate::failure::Failure;
use crate::{interrupt, out, service_file};

/// How long reading the service file may take.
const LONGEST_READ: Duration = Duration::from_secs(10);

pub(crate) fn run(args: Operations) -> Result<(), Failure> {
    interrupt::ending("the service file was read", move |stop| {
        let service = service_file::of(args.service_file.as_deref(), LONGEST_READ)?;
        stop.take_over()?;
        if args.json {
            let all: Vec<_> = rows(&service).iter().map(object).collect();
            out::line(Value::from(all))?;
        } else {
            out::line(table(&rows(&service)))?;
        }
        Ok(())
    })
}

/// One operation or token exchange of the list.
struct Row<'a> {
    name: &'a str,
    class: Class,
    evidence: Evidence,
    path: Option<&'a ServicePath>,
}

/// The token exchanges, then the operations. A refresh spends the token that it presents.
fn rows(service: &Service) -> Vec<Row<'_>> {
    let tokens = service.tokens();
    let sign_in = tokens.map(Tokens::sign_in).map(|it| {
        let class = if it.is_one_shot() { Class::Create } else { Class::Read };
        Row { name: it.name(), class, evidence: it.evidence(), path: Some(it.path()) }
    });
    let refresh = tokens.and_then(Tokens::refresh).map(|it| {
        let class = Class::Create;
        Row { name: it.name(), class, evidence: it.evidence(), path: Some(it.path()) }
    });
    let operations = service.operations().iter().map(|it| {
        let (class, evidence) = (it.class(), it.evidence());
        Row { name: it.name(), class, evidence, path: it.path() }
    });
    sign_in.into_iter().chain(refresh).chain(operations).collect()
}

fn object(row: &Row<'_>) -> Value {
    json!({
        "name": row.name,
        "class": row.class.as_str(),
        "evidence": row.evidence.as_str(),
        "path": row.path.map(ServicePath::as_str),
    })
}

/// Formats the list for people.
fn table(rows: &[Row<'_>]) -> String {
    let width = rows.iter().map(|row| row.name.len()).max().unwrap_or_default();
    let mut table = format!("{:width$}  {:6}  {:9}  PATH", "NAME", "CLASS", "EVIDENCE");
    for row in rows {
        let path = row.path.map_or("(unknown)", ServicePath::as_str);
        let (class, evidence) = (row.class.as_str(), row.evidence.as_str());
        table.push_str(&format!("\n{:width$}  {class:6}  {evidence:9}  {path}", row.name));
    }
    table
}
