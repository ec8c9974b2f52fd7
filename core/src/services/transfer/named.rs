//! Operations with only a published name: they are `POST`, and path, fields and reply are unknown.
//!
//! The class is inferred from what the name says that the operation does.

use crate::operation::{Class, OperationName};

macro_rules! named {
    ($($(#[$doc:meta])* $type:ident = $name:literal, $class:ident;)*) => {$(
        $(#[$doc])*
        ///
        /// Its name is published; give path, fields and reply with [`Custom`](crate::operation::Custom).
        #[derive(Clone, Copy, Debug)]
        pub enum $type {}

        impl OperationName for $type {
            const NAME: &'static str = $name;
            const CLASS: Class = Class::$class;
        }
    )*};
}

named! {
    /// By its name, lists agents.
    GetAgents = "get-agents", Read;
    /// By its name, registers a natural person.
    CreatePerson = "create-person", Create;
    /// By its name, registers a legal entity.
    CreateBusiness = "create-business", Create;
    /// By its name, returns what is known about a natural person.
    GetPersonInfo = "get-person-info", Read;
    /// By its name, returns what is known about a legal entity.
    GetBusinessInfo = "get-business-info", Read;
    /// By its name, returns the application form of a transfer.
    PrintApplication = "print-application", Read;
    /// By its name, searches for transfers.
    Search = "search", Read;
    /// By its name, returns the status of a transfer.
    Status = "status", Read;
    /// By its name, returns the details of a transfer.
    Info = "info", Read;
    /// By its name, confirms a transfer.
    Confirm = "confirm", Money;
    /// By its name, pays a transfer out.
    Payout = "payout", Money;
    /// By its name, confirms a payout.
    PayoutConfirm = "payout-confirm", Money;
    /// By its name, cancels a transfer.
    Cancel = "cancel", Money;
}
