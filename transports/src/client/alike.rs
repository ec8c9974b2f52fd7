//! The methods that wait for nothing, and are the same for both clients.

/// Gives a client these methods. It has the fields `shared.common` and `patience`.
macro_rules! methods_alike {
    ($Client:ident) => {
        impl $Client {
            /// Returns the same client with another patience: how long its callers wait for a
            /// renewal at most. If one caller stops waiting, the renewal continues.
            #[must_use]
            pub fn with_patience(&self, patience: Duration) -> Self {
                Self { shared: Arc::clone(&self.shared), patience }
            }

            /// Returns what a handle keeps of a token between two asks.
            pub(crate) fn token_cache(&self) -> TokenCache {
                self.shared.common.token.token_cache()
            }

            /// Reports that the service refused this token with a 401. The client never returns
            /// this token again, and renews when a token is next asked for. If the token was
            /// already renewed, this does nothing.
            pub fn reject(&self, epoch: Epoch) {
                self.shared.common.reject(epoch);
            }

            /// Reports that the service has revoked the tokens of this id, as a callback says.
            /// Returns whether they are this client's. If they are, it has no tokens from now on,
            /// and makes no request because of it. What is saved or stored is emptied by the next
            /// ask for a token. If they are not, nothing changes.
            pub fn revoked(&self, id: &imts_core::secret::TokenId) -> bool {
                self.shared.common.revoked(id)
            }

            /// Sets new credentials, to keep or for one sign-in.
            pub fn sign_in(&self, credentials: Credentials, keep: Keep) {
                self.shared.common.sign_in(credentials, keep);
            }

            /// Forgets tokens and credentials. It does not erase what the hook persisted: the
            /// caller must do that.
            pub fn sign_out(&self) {
                self.shared.common.sign_out();
            }

            /// Reads the session's phase now. The closure runs under the session lock; do not call
            /// the client inside it.
            pub fn phase<R>(&self, read: impl FnOnce(Phase<'_>) -> R) -> R {
                self.shared.common.phase(read)
            }

            /// Returns a view of the session without secrets. It has the phase, the token's
            /// remaining life, the next renewal, the last error, and whether the service accepts
            /// the credentials.
            ///
            /// It takes the session's lock for a moment and waits for nothing else. A readiness
            /// probe can use [`Health::is_ready`]. A liveness probe should not depend on it: a
            /// restart does not repair the service.
            #[must_use]
            pub fn health(&self) -> Health {
                self.shared.common.health()
            }

            /// Returns the state to persist now, or `None` if there is no grant.
            #[must_use]
            pub fn saved(&self) -> Option<Saved> {
                self.shared.common.saved()
            }

            /// Returns why the hook's last save failed, or `None` if it did not fail.
            #[must_use]
            pub fn save_failure(&self) -> Option<Source> {
                self.shared.common.save_failure()
            }

            /// Returns why the [store](crate::Builder::store) did not answer the last swap, or
            /// `None` if it answered, or if no store is declared. Its text holds no secret.
            #[must_use]
            pub fn store_failure(&self) -> Option<Source> {
                self.shared.common.store_failure()
            }

            /// Returns how often this client and its clones swapped with the
            /// [store](crate::Builder::store), and what came of it. All 0 without a store.
            #[must_use]
            pub fn store_counts(&self) -> StoreCounts {
                self.shared.common.store_counts()
            }
        }

        impl fmt::Debug for $Client {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($Client))
                    .field("patience", &self.patience)
                    .field("session", &self.shared.common.lock().session)
                    .finish_non_exhaustive()
            }
        }
    };
}

pub(crate) use methods_alike;
