//! The vendor's menu, row by row: the catalogues and the README are held to it.

use std::collections::BTreeMap;

use imts_core::endpoint::ServicePath;
use imts_core::services::{
    card_api, e_money, gateway, gateway_async, gift_cards, merchant, merchant_invoice,
    partner_invoice, products, rates, settlement, super_app, transfer,
};
use imts_core::{Catalogue, Class};
use serde::Deserialize;

/// One row of the menu. `kind` is set for a row that is not an operation of a catalogue, or that the
/// menu does not list.
#[derive(Deserialize)]
struct Row {
    section: String,
    service: String,
    name: String,
    class: String,
    path: Option<String>,
    evidence: String,
    kind: Option<String>,
}

impl Row {
    fn is(&self, kind: &str) -> bool {
        self.kind.as_deref() == Some(kind)
    }

    /// Whether a user can call it as it is. A session makes the exchanges; the one whose path this
    /// project chose does not count.
    fn is_callable(&self) -> bool {
        self.path.is_some() && !(self.is("exchange") && self.evidence == "assumed")
    }
}

fn menu() -> Vec<Row> {
    serde_json::from_str(include_str!("../fixtures/menu.json")).unwrap()
}

fn catalogues() -> Vec<(&'static str, Catalogue)> {
    vec![
        ("card-api", card_api::catalogue()),
        ("e-money", e_money::catalogue()),
        ("gateway", gateway::catalogue()),
        ("gateway-async", gateway_async::catalogue()),
        ("gift-cards", gift_cards::catalogue()),
        ("merchant", merchant::catalogue()),
        ("merchant-invoice", merchant_invoice::catalogue()),
        ("partner-invoice", partner_invoice::catalogue()),
        ("products", products::catalogue()),
        ("rates", rates::catalogue()),
        ("settlement", settlement::catalogue()),
        ("super-app", super_app::catalogue()),
        ("transfer", transfer::catalogue()),
    ]
}

#[test]
fn each_operation_of_the_menu_is_listed_with_its_class_its_path_and_its_evidence() {
    let menu = menu();
    for (service, catalogue) in catalogues() {
        let of_service =
            |row: &&Row| row.service == service && !row.is("exchange") && !row.is("browser");
        let listed: Vec<_> = menu.iter().filter(of_service).collect();
        assert_eq!(listed.len(), catalogue.len(), "{service}");
        for (row, info) in listed.iter().zip(catalogue.iter()) {
            let name = format!("{service} {}", row.name);
            assert_eq!(info.name(), row.name, "{service}");
            assert_eq!(info.class().as_str(), row.class, "{name}");
            assert_eq!(info.path().map(ServicePath::as_str), row.path.as_deref(), "{name}");
            assert_eq!(info.evidence().as_str(), row.evidence, "{name}");
            assert!(info.is_built_in(), "{name}: its class is fixed");
            let path =
                row.path.as_deref().map_or(Ok(None), |path| ServicePath::new(path).map(Some));
            assert!(path.is_ok(), "{name}");
            assert!(row.path.is_some() || row.evidence != "assumed", "{name}: no path is invented");
        }
    }
}

#[test]
fn an_operation_that_creates_or_moves_something_has_a_field_or_a_header_that_names_it() {
    // Without one, the service could not be asked what became of it.
    for (service, catalogue) in catalogues().into_iter().filter(|(name, _)| *name != "transfer") {
        for info in catalogue.iter().filter(|info| info.asked_by().is_some()) {
            let has = info.reference_field().is_some() || info.reference_header().is_some();
            assert!(has && info.class() != Class::Read, "{service} {}", info.name());
            let asked = info.asked_by().unwrap().operation();
            let asked = catalogue.entry(asked).map(imts_core::catalogue::OperationInfo::class);
            assert_eq!(asked, Some(Class::Read), "{service} {}", info.name());
        }
    }
}

#[test]
fn the_menu_has_144_operations_and_62_can_be_called() {
    let menu = menu();
    let listed: Vec<_> = menu.iter().filter(|row| !row.is("outside")).collect();
    assert_eq!((menu.len(), listed.len()), (146, 144));
    assert_eq!(listed.iter().filter(|row| row.is_callable()).count(), 62);
    let mut names: Vec<_> = menu.iter().map(|row| (&row.service, &row.name)).collect();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), menu.len(), "each name is one operation of its service");
}

/// The table of the README: for each section, how many operations can be called, by the evidence for
/// their paths.
fn table() -> String {
    let menu = menu();
    let mut sections: Vec<&str> = Vec::new();
    for row in
        menu.iter().filter(|row| !sections.contains(&row.section.as_str())).collect::<Vec<_>>()
    {
        if !sections.contains(&row.section.as_str()) {
            sections.push(&row.section);
        }
    }
    let mut lines = vec![
        "| section | operations | published | draft | assumed | by name |".to_owned(),
        "|---|---|---|---|---|---|".to_owned(),
    ];
    let mut sums = [0_usize; 5];
    for section in sections {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        let rows = menu.iter().filter(|row| row.section == section && !row.is("outside"));
        let mut all = 0;
        for row in rows {
            let column = if row.is_callable() { row.evidence.as_str() } else { "by name" };
            *counts.entry(column).or_default() += 1;
            all += 1;
        }
        let of = |column| counts.get(column).copied().unwrap_or_default();
        let cells = [all, of("published"), of("draft"), of("assumed"), of("by name")];
        for (sum, cell) in sums.iter_mut().zip(cells) {
            *sum += cell;
        }
        lines.push(line(section, cells));
    }
    lines.push(line("all", sums));
    lines.join("\n")
}

fn line(section: &str, [all, published, draft, assumed, by_name]: [usize; 5]) -> String {
    format!("| {section} | {all} | {published} | {draft} | {assumed} | {by_name} |")
}

#[test]
fn the_readme_has_the_table_of_the_menu() {
    let readme = include_str!("../../../README.md");
    let table = table();
    assert!(readme.contains(&table), "the README needs this table:\n\n{table}\n");
}
