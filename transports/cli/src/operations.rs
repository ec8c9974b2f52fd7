//! `imts operations`: lists what the service can do, and how surely that is known.

use std::time::Duration;

use imts::{OperationInfo, Service, ServicePath};
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
            let all: Vec<_> = service.operations().iter().map(object).collect();
            out::line(Value::from(all))?;
        } else {
            out::line(table(&service))?;
        }
        Ok(())
    })
}

fn object(entry: &OperationInfo) -> Value {
    json!({
        "name": entry.name(),
        "class": entry.class().as_str(),
        "evidence": entry.evidence().as_str(),
        "path": entry.path().map(ServicePath::as_str),
    })
}

/// Formats the list for people.
fn table(service: &Service) -> String {
    let operations = service.operations();
    let width = operations.iter().map(|entry| entry.name().len()).max().unwrap_or_default();
    let mut table = format!("{:width$}  {:6}  {:9}  PATH", "NAME", "CLASS", "EVIDENCE");
    for entry in operations.iter() {
        let path = entry.path().map_or("(yours to give)", ServicePath::as_str);
        let (class, evidence) = (entry.class().as_str(), entry.evidence().as_str());
        table.push_str(&format!("\n{:width$}  {class:6}  {evidence:9}  {path}", entry.name()));
    }
    table
}
