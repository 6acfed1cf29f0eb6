//! SIGTERM and SIGINT: the first stops in order, the second at once.

use crate::failure::Failure;
use core::pin::Pin;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Is done when the first signal came. From then on a second one ends the process, with the exit code that a shell gives one that died
/// of it.
pub(crate) type Stop = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Listens from its making on, so that no signal is lost before someone waits.
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// Must be called inside the runtime.
    pub(crate) fn listen() -> Result<Self, Failure> {
        let listen = |kind| signal(kind).map_err(|error| Failure::runtime("signals cannot be heard").because(error));
        Ok(Self { terminate: listen(SignalKind::terminate())?, interrupt: listen(SignalKind::interrupt())? })
    }

    /// Waits for the first signal.
    pub(crate) fn first(self) -> Stop {
        Box::pin(self.wait())
    }

    async fn wait(mut self) {
        let name = self.next().await.0;
        tracing::info!(signal = name, "stopping; a second signal stops at once");
        tokio::spawn(async move {
            let (name, number) = self.next().await;
            tracing::warn!(signal = name, "stopping at once");
            std::process::exit(128 + number);
        });
    }

    async fn next(&mut self) -> (&'static str, i32) {
        tokio::select! {
            _ = self.terminate.recv() => ("SIGTERM", SignalKind::terminate().as_raw_value()),
            _ = self.interrupt.recv() => ("SIGINT", SignalKind::interrupt().as_raw_value()),
        }
    }
}
