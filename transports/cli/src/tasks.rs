//! The runtime for hyper-util, for a command that works on threads.

use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::thread;

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
    /// Starts a runtime. If the system provides no threads, the runtime has none, and its tasks go on
    /// while a thread waits for one of them.
    pub(crate) fn start() -> Result<Self, Failure> {
        let mut builder = if has_threads(WORKERS) {
            let mut builder = runtime::Builder::new_multi_thread();
            builder.worker_threads(WORKERS);
            builder
        } else {
            runtime::Builder::new_current_thread()
        };
        let runtime = builder
            .enable_all()
            .build()
            .map_err(|error| Failure::machine(format!("cannot start tokio's runtime: {error}")))?;
        Ok(Self(Arc::new(Running { handle: runtime.handle().clone(), runtime: Some(runtime) })))
    }

    pub(crate) fn handle(&self) -> Handle {
        self.0.handle.clone()
    }

    /// Waits on this thread, which does not belong to the runtime.
    pub(crate) fn wait_for<T>(&self, future: impl Future<Output = T>) -> T {
        match &self.0.runtime {
            Some(runtime) => runtime.block_on(future),
            None => self.0.handle.block_on(future),
        }
    }
}

/// The threads of the runtime.
const WORKERS: usize = 2;

/// Returns whether the system provides this many threads at a time. tokio panics if it provides none.
fn has_threads(count: usize) -> bool {
    let (release, wait) = mpsc::channel::<()>();
    let wait = Arc::new(Mutex::new(wait));
    let start = |_| {
        let wait = Arc::clone(&wait);
        thread::Builder::new().spawn(move || {
            let _released = wait.lock().map(|wait| wait.recv());
        })
    };
    let threads: Vec<_> = (0..count).map(start).collect();
    drop(release);
    let has_all = threads.iter().all(Result::is_ok);
    for thread in threads.into_iter().flatten() {
        let _ended = thread.join();
    }
    has_all
}

/// Ends the runtime without waiting: resolving a host name may take long.
impl Drop for Running {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
