//! A server from its first request to its end.

use crate::audit_rounds::AuditRounds;
use crate::config::Config;
use crate::failure::{Failure, causes};
use crate::key_rounds::KeyRounds;
use crate::metrics::Metrics;
use crate::signals::Stop;
use crate::wiring::System;
use core::net::SocketAddr;
use core::time::Duration;
use std::io;
use std::sync::Arc;
use strongroom::Engine;
use strongroom_domain::port::Clock;
use strongroom_http::ServeOptions;
use strongroom_system::SystemClock;
use tokio::net::{TcpListener, TcpSocket};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// How often failures that were only counted are recorded, and new signing keys taken on.
const RECORDING: Duration = Duration::from_secs(1);
/// After how many such rounds expired answers are forgotten too.
const HOUSEKEEPING: u32 = 10;

/// How long the last of them may take at a stop: an audit log without room keeps whoever has a record waiting.
const LAST_RECORDS: Duration = Duration::from_secs(5);

/// How many connections wait to be accepted at the most, if the kernel allows so many.
const BACKLOG: u32 = 1024;

/// What a start leads to, or `None` when a signal came before it was done. Whatever it was about is left as a crash would leave it.
pub(crate) async fn unless_stopped<T>(
    stop: &mut Stop,
    start: impl Future<Output = Result<T, Failure>>,
) -> Result<Option<T>, Failure> {
    tokio::select! {
        () = stop => {
            tracing::info!("stopped before the start was done");
            Ok(None)
        }
        started = start => started.map(Some),
    }
}

/// Takes the address, so that nothing is written when somebody else has it. From then on connections wait to be answered.
///
/// Only listening takes it: other servers may bind it all the while.
pub(crate) fn listen(address: SocketAddr) -> Result<TcpListener, Failure> {
    let listening = || {
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        // Connections of the last run may linger; but of the ports that are free it must not be one that another server took so.
        socket.set_reuseaddr(address.port() != 0)?;
        socket.bind(address)?;
        socket.listen(BACKLOG)
    };
    listening()
        .map_err(|error: io::Error| Failure::runtime(format!("the server cannot listen on {address}")).because(error))
}

/// The address that a listener got, which tells the port where 0 was asked for.
pub(crate) fn address_of(listener: &TcpListener) -> Result<SocketAddr, Failure> {
    listener.local_addr().map_err(|error| Failure::runtime("the listener has no address").because(error))
}

/// The listener of metrics, when there is to be one. To be called before anything is made that measures.
pub(crate) async fn metrics(config: &Config) -> Result<Option<Metrics>, Failure> {
    match config.metrics {
        Some(address) => Metrics::start(address, SystemClock.now()).await.map(Some),
        None => Ok(None),
    }
}

/// Serves until a signal; then lets running requests end, and closes the store.
pub(crate) async fn serve(
    mut system: System,
    listener: TcpListener,
    metrics: Option<Metrics>,
    config: &Config,
    stop_signal: Stop,
) -> Result<(), Failure> {
    let address = address_of(&listener)?;
    let options = ServeOptions {
        max_connections: config.listen.max_connections,
        drain_timeout: config.listen.shutdown_grace,
        ..ServeOptions::default()
    };
    let stop = CancellationToken::new();
    let housekeeping = tokio::spawn(housekeeping(Arc::clone(&system.engine), Arc::clone(&system.clock), stop.clone()));
    let key_rounds = KeyRounds::start(Arc::clone(&system.engine), Arc::clone(&system.clock), stop.clone());
    let audit_rounds = AuditRounds::start(
        Arc::clone(&system.engine),
        Arc::clone(&system.clock),
        core::mem::take(&mut system.audit_outlets),
        metrics.is_some(),
        stop.clone(),
    );
    let root_keys = tokio::spawn(system.root_keys.clone().run(Arc::clone(&system.clock), stop.clone()));
    tracing::debug!(?config, "configuration");
    let metrics_address = metrics.as_ref().map(Metrics::address).map(tracing::field::display);
    let version = env!("CARGO_PKG_VERSION");
    tracing::info!(%address, version, store = system.store_kind, metrics = metrics_address, "listening");
    let stop_metrics = CancellationToken::new();
    let metrics = metrics.map(|metrics| tokio::spawn(metrics.serve(stop_metrics.clone())));
    strongroom_http::serve(listener, system.api(config), options, stop_signal).await;
    stop.cancel();
    key_rounds.end().await;
    // What it reads changes nothing that lasts.
    root_keys.abort();
    record_counted(&system.engine, housekeeping).await;
    audit_rounds.end().await;
    system.writer.close().await;
    stop_metrics.cancel();
    if let Some(metrics) = metrics {
        // Ends by itself, and soon.
        let _ = metrics.await;
    }
    tracing::info!("stopped");
    Ok(())
}

/// Ends the housekeeping, and records what was counted, before the store closes.
async fn record_counted(engine: &Engine, mut housekeeping: JoinHandle<()>) {
    let records = async {
        // Its error would be a panic, which is in the log.
        let _ = (&mut housekeeping).await;
        engine.record_counted_failures().await
    };
    let reason = match tokio::time::timeout(LAST_RECORDS, records).await {
        Ok(Ok(())) => return,
        Ok(Err(error)) => causes(&error),
        Err(_) => "the audit log took no record in time".to_owned(),
    };
    if !housekeeping.is_finished() {
        // What it holds goes back to what is counted.
        housekeeping.abort();
        let _ = housekeeping.await;
    }
    let failures = engine.counted_failures();
    tracing::error!(failures, error = reason, "failures that were counted could not be recorded");
}

async fn housekeeping(engine: Arc<Engine>, clock: Arc<dyn Clock>, stop: CancellationToken) {
    for round in (0..HOUSEKEEPING).cycle() {
        keep_house(&engine, round == 0).await;
        tokio::select! {
            () = stop.cancelled() => return,
            () = clock.sleep(RECORDING) => {}
        }
    }
}

async fn keep_house(engine: &Engine, whole: bool) {
    let kept = if whole { engine.housekeeping().await } else { engine.frequent_housekeeping().await };
    if let Err(error) = kept {
        tracing::warn!(error = %causes(&error), "housekeeping could not be done");
    }
}
