//! The signed operations that are served, against the vendor's menu as the core has it.

use imts_sandbox::SignedOperation;
use serde_json::Value;

/// The operations of the vendor's menu whose paths are known, and that are signed.
fn menu() -> Vec<Value> {
    let menu: Value =
        serde_json::from_str(include_str!("../../../../../core/tests/fixtures/menu.json")).unwrap();
    let is_signed = |row: &&Value| {
        let has_session = row["service"] == "transfer" || row["service"] == "freedom-id";
        row["path"].is_string() && !has_session
    };
    menu.as_array().unwrap().iter().filter(is_signed).cloned().collect()
}

#[test]
fn each_signed_operation_of_the_menu_is_served_under_its_name_class_and_path() {
    let menu = menu();
    for row in &menu {
        let text = |name: &str| row[name].as_str().unwrap();
        let name = format!("{}.{}", text("service"), text("name"));
        let served =
            SignedOperation::named(&name).unwrap_or_else(|| panic!("{name} is not served"));
        assert_eq!(served.class().as_str(), text("class"), "{name}");
        let path =
            text("path").split('/').map(|part| if part.starts_with(':') { "500000" } else { part });
        let path = path.collect::<Vec<_>>().join("/");
        assert_eq!(SignedOperation::at(&path), Some(served), "{name}");
    }
    assert_eq!(menu.len(), 53);
    // The paths beside the menu: names that the vendor's menu has without a path.
    let listed = |name: &str| {
        menu.iter().any(|row| {
            format!("{}.{}", row["service"].as_str().unwrap(), row["name"].as_str().unwrap())
                == name
        })
    };
    let others = SignedOperation::all()
        .flat_map(|row| row.also().iter().copied().chain([row.as_str()]))
        .filter(|name| !listed(name));
    let expected =
        ["gateway-async.create-payment", "gateway.token-status", "merchant.payout-tokenize-card"];
    let mut others: Vec<_> = others.collect();
    others.sort_unstable();
    assert_eq!(others, expected);
}
