//! `imts operations`: lists what the service can do, and how surely that is known.

use std::time::Duration;

use imts::{Contract, Entry, ServicePath};
use serde_json::{Value, json};

use crate::args::Operations;
use crate::failure::Failure;
use crate::{contract, interrupt, out};

/// How long reading the contract file may take.
const LONGEST_READ: Duration = Duration::from_secs(10);

pub(crate) fn run(args: Operations) -> Result<(), Failure> {
    interrupt::ending("the contract file was read", move |stop| {
        let contract = contract::of(args.contract.as_deref(), LONGEST_READ)?;
        stop.take_over()?;
        if args.json {
            let all: Vec<_> = contract.operations().iter().map(object).collect();
            out::line(Value::from(all))?;
        } else {
            out::line(table(&contract))?;
        }
        Ok(())
    })
}

fn object(entry: &Entry) -> Value {
    json!({
        "name": entry.name(),
        "class": entry.class().as_str(),
        "evidence": entry.evidence().as_str(),
        "path": entry.path().map(ServicePath::as_str),
    })
}

/// Formats the list for people.
fn table(contract: &Contract) -> String {
    let operations = contract.operations();
    let width = operations.iter().map(|entry| entry.name().len()).max().unwrap_or_default();
    let mut table = format!("{:width$}  {:6}  {:9}  PATH", "NAME", "CLASS", "EVIDENCE");
    for entry in operations.iter() {
        let path = entry.path().map_or("(yours to give)", ServicePath::as_str);
        let (class, evidence) = (entry.class().as_str(), entry.evidence().as_str());
        table.push_str(&format!("\n{:width$}  {class:6}  {evidence:9}  {path}", entry.name()));
    }
    table
}
