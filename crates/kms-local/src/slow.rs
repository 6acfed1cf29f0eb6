use core::num::NonZero;
use std::sync::Arc;
use std::thread::available_parallelism;
use strongroom_crypto::key_ops::KeyOpError;
use strongroom_domain::kms::KeyType;
use strongroom_domain::port::{KmsError, KmsErrorKind};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;

/// How many slow operations may wait for each that runs; more are turned away, since their callers would have gone before their turn.
const WAITING_FOR_EACH: usize = 64;

/// The same for making keys, of which each takes a second or two.
const KEYS_WAITING_FOR_EACH: usize = 8;

/// Keeps slow operations off the async workers: so many at a time, and a bounded number waiting.
pub(crate) struct SlowOps {
    places: Arc<Semaphore>,
    turns: Arc<Semaphore>,
}

impl SlowOps {
    /// For operations with keys: as many at a time as there are processors.
    pub(crate) fn of_keys() -> Self {
        Self::at_most(processors(), WAITING_FOR_EACH)
    }

    /// For making keys: half as many, so that whoever makes many of them doesn't keep others from using theirs.
    pub(crate) fn of_making_keys() -> Self {
        Self::at_most((processors() / 2).max(1), KEYS_WAITING_FOR_EACH)
    }

    fn at_most(turns: usize, waiting: usize) -> Self {
        let places = turns * (1 + waiting);
        Self { places: Arc::new(Semaphore::new(places)), turns: Arc::new(Semaphore::new(turns)) }
    }

    /// Runs an operation with keys of this type: RSA's on a thread for blocking work when there is a runtime; others, which take less than
    /// half a millisecond, at once.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        key_type: KeyType,
        context: &'static str,
        operation: impl FnOnce() -> Result<T, KeyOpError> + Send + 'static,
    ) -> Result<T, KmsError> {
        if !key_type.is_rsa() {
            return operation().map_err(|error| failed(context, error));
        }
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|error| unavailable(context, error))?;
        let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(|error| unavailable(context, error))?;
        // The permits go along: an operation whose caller has gone still takes a processor.
        let work = move || {
            let _held = (place, turn);
            operation()
        };
        let outcome = match Handle::try_current() {
            Ok(runtime) => runtime.spawn_blocking(work).await.map_err(|error| unavailable(context, error))?,
            Err(_) => work(),
        };
        outcome.map_err(|error| failed(context, error))
    }
}

fn processors() -> usize {
    available_parallelism().map_or(1, NonZero::get)
}

pub(crate) fn failed(context: &'static str, error: KeyOpError) -> KmsError {
    KmsError::new(error.kind(), context).because(error)
}

fn unavailable(context: &'static str, error: impl core::error::Error + Send + Sync + 'static) -> KmsError {
    KmsError::new(KmsErrorKind::Unavailable, context).because(error)
}

#[cfg(test)]
mod tests {
    use super::{SlowOps, WAITING_FOR_EACH};
    use core::future::Future;
    use core::pin::pin;
    use core::task::{Context, Poll, Waker};
    use std::sync::Arc;
    use std::sync::mpsc::channel;
    use strongroom_crypto::key_ops::KeyOpError;
    use strongroom_domain::kms::KeyType;
    use strongroom_domain::port::KmsErrorKind;
    use tokio::sync::oneshot;

    /// On a runtime with one thread, an operation that waits for another task ends only if it doesn't hold up that thread.
    #[tokio::test]
    async fn rsa_does_not_hold_up_the_runtime() {
        let slow = SlowOps::at_most(1, WAITING_FOR_EACH);
        let (send, receive) = channel();
        let operation = slow.run(KeyType::Rsa2048, "test", move || receive.recv().map_err(|_| KeyOpError::Failed));
        let (outcome, sent) = tokio::join!(operation, async move { send.send(7) });
        assert_eq!((outcome.ok(), sent.is_ok()), (Some(7), true));
    }

    #[test]
    fn without_a_runtime_it_runs_at_once() {
        let slow = SlowOps::at_most(1, WAITING_FOR_EACH);
        for key_type in [KeyType::Rsa2048, KeyType::Ed25519] {
            let mut operation = pin!(slow.run(key_type, "test", || Ok(7)));
            let Poll::Ready(outcome) = operation.as_mut().poll(&mut Context::from_waker(Waker::noop())) else {
                panic!("{key_type} waits for nothing")
            };
            assert_eq!(outcome.ok(), Some(7), "{key_type}");
        }
    }

    #[tokio::test]
    async fn more_than_can_wait_are_turned_away() {
        let slow = Arc::new(SlowOps::at_most(1, WAITING_FOR_EACH));
        let (finish, finished) = channel::<()>();
        let (starts, started) = oneshot::channel();
        let first = {
            let slow = Arc::clone(&slow);
            tokio::spawn(async move {
                let operation = move || {
                    let _ = starts.send(());
                    finished.recv().map_err(|_| KeyOpError::Failed)
                };
                slow.run(KeyType::Rsa2048, "test", operation).await
            })
        };
        assert!(started.await.is_ok());
        // Its caller goes; what it asked for still runs and keeps its turn.
        first.abort();
        let waiting: Vec<_> = (0..WAITING_FOR_EACH)
            .map(|_| {
                let slow = Arc::clone(&slow);
                tokio::spawn(async move { slow.run(KeyType::Rsa2048, "test", || Ok(())).await.is_ok() })
            })
            .collect();
        while slow.places.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        let error = slow.run(KeyType::Rsa2048, "test", || Ok(())).await.err();
        assert_eq!(error.map(|error| *error.kind()), Some(KmsErrorKind::Unavailable));
        assert!(slow.run(KeyType::Ed25519, "test", || Ok(())).await.is_ok(), "only RSA waits");
        assert!(waiting.iter().all(|waiting| !waiting.is_finished()));
        assert!(finish.send(()).is_ok());
        for waiting in waiting {
            assert!(waiting.await.expect("no panic"));
        }
        assert!(slow.run(KeyType::Rsa2048, "test", || Ok(())).await.is_ok(), "there is room again");
    }

    #[tokio::test]
    async fn a_panic_is_no_answer_and_gives_its_turn_back() {
        let slow = SlowOps::at_most(1, WAITING_FOR_EACH);
        let error = slow.run::<()>(KeyType::Rsa2048, "test", || panic!("told to")).await.err();
        assert_eq!(error.map(|error| *error.kind()), Some(KmsErrorKind::Unavailable));
        assert!(slow.run(KeyType::Rsa2048, "test", || Ok(())).await.is_ok());
    }
}
