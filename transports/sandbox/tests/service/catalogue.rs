//! The sandbox knows the operations that the core lists, by the same names and classes.

use imts_core::services::transfer;
use imts_sandbox::Operation;

#[test]
fn each_operation_of_the_core_has_its_name_and_class_here() {
    let catalogue = transfer::catalogue();
    for listed in catalogue.iter() {
        let operation: Operation = listed.name().parse().unwrap();
        assert_eq!(operation.class(), Some(listed.class()), "{}", listed.name());
    }
    assert!(catalogue.len() >= 15, "{} operations", catalogue.len());
}
