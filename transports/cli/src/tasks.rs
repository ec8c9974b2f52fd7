//! The runtime for hyper-util, for a command that works on threads.

use std::sync::Arc;

use tokio::runtime::{self, Handle, Runtime};

use crate::failure::Failure;

/// The runtime for hyper-util.
#[derive(Clone)]
pub(crate) struct Tasks(Arc<Running>);

struct Running {
    handle: Handle,
    runtime: Option<Runtime>,
}

impl Tasks {
    pub(crate) fn start() -> Result<Self, Failure> {
        runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .map(|runtime| {
                Self(Arc::new(Running { handle: runtime.handle().clone(), runtime: Some(runtime) }))
            })
            .map_err(|error| Failure::usage(format!("cannot start tokio's runtime: {error}")))
    }

    pub(crate) fn handle(&self) -> Handle {
        self.0.handle.clone()
    }

    /// Waits on this thread, which does not belong to the runtime.
    pub(crate) fn wait_for<T>(&self, future: impl Future<Output = T>) -> T {
        self.0.handle.block_on(future)
    }
}

/// Ends the runtime without waiting: resolving a host name may take long.
impl Drop for Running {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
