//! Resolves the calls in doubt on a thread.
//!
//! Owns the call of the callback, which may panic.

use std::future::ready;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;

use imts_core::journal::{Answer, CallRecord, Reconcile, Reconciled, RecordError};

use super::Client;
use crate::client::common::{Found, reconcile};
use crate::sync::wait;

impl Client {
    /// Calls a callback for each call in doubt, oldest first, and records its answers. It never
    /// sends a call again.
    ///
    /// The callback asks the service what became of the call, by its status operation or otherwise,
    /// and answers with a reason. It may use this client, and it may fail: an error counts as
    /// [`Answer::Unknown`], and a panic leaves the call in doubt. It is not called for calls that
    /// may be under way. After each question there is a [pause](Reconcile::interval). Once the
    /// [time](Reconcile::within) is over, no question is begun. A callback that has begun by then
    /// is waited for, and its answer counts.
    ///
    /// ```
    /// use imts::journal::{Answer, Reconcile};
    /// # use imts::{Builder, Endpoint, TransportError};
    /// # let transport = |_: http::Request<imts::secret::Body>, _: imts::transport::Bounds| Err(TransportError::unknown());
    /// # let client = Builder::new(Endpoint::https("https://sandbox.example")?).blocking(transport)?;
    /// # fn status_of(_: Option<&str>) -> Result<&'static str, std::io::Error> { Ok("paid") }
    ///
    /// let report = client.reconcile(&Reconcile::default(), |call| {
    ///     Ok::<_, std::io::Error>(match status_of(call.reference.as_deref())? {
    ///         "paid" => Answer::Done("status says paid".to_owned()),
    ///         "rejected" => Answer::Refused("status says rejected".to_owned()),
    ///         other => Answer::Unknown(format!("status says {other}")),
    ///     })
    /// })?;
    /// assert!(report.in_doubt.is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns [`RecordError`] if the journal cannot be read at the start. Later failures are in
    /// the report.
    pub fn reconcile<A: Into<Answer>>(
        &self,
        settings: &Reconcile,
        mut find_out: impl FnMut(&CallRecord) -> A,
    ) -> Result<Reconciled, RecordError> {
        let within = settings.time_limit().unwrap_or(self.patience);
        wait(pin!(reconcile(self, settings, within, |call, _| {
            let answer = catch_unwind(AssertUnwindSafe(|| find_out(&call).into()));
            ready(answer.map_or(Found::Panicked, Found::Answer))
        })))
    }
}
