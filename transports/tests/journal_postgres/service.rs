//! The service of these tests, and clients of it.

use imts::operation::Custom;
use imts::service_file::service_of;
use imts::services::transfer::Confirm;
use imts::{Builder, Client, Credentials, Endpoint, JournalPostgres, Transport};
use imts_sandbox::{DEFAULT_AGENT, DEFAULT_SECRET, Front, Sandbox};

pub(crate) const SERVICE_FILE: &str =
    "version = 1\n[operation.confirm]\npath = '/v5/partner/transfer/example'\n";

pub(crate) fn front() -> Front {
    Front::start(Sandbox::with_service_file(SERVICE_FILE).unwrap()).unwrap()
}

pub(crate) fn client(
    url: &str,
    journal: JournalPostgres,
    transport: impl Transport + 'static,
) -> Client {
    Builder::new(Endpoint::plain_loopback(url).unwrap())
        .credentials(Credentials::new(DEFAULT_AGENT, DEFAULT_SECRET).unwrap())
        .service(service_of(SERVICE_FILE).unwrap())
        .journal(journal)
        .blocking(transport)
        .unwrap()
}

pub(crate) fn confirm(id: &str) -> Custom<Confirm, serde_json::Value> {
    let request = serde_json::json!({ "client_uuid": id });
    Custom::<Confirm, _>::new(request).with_reference(id)
}
