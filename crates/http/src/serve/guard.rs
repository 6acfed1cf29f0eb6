//! The stream of a connection, watched: what phase it is in, and what the HTTP library writes on its own.
//!
//! The library closes a connection whose head is late without a word, and answers a head that it can't read with an empty body.
//! Here the phase is known from outside, so that [`connection`](super::connection) can answer such requests like any other.

use core::pin::Pin;
use core::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, Ordering};
use core::task::{Context, Poll};
use std::io::{self, IoSlice};
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What a connection is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Nothing of a request has come; no answer is owed.
    Idle,
    /// The head of a request is coming in.
    Head,
    /// A request is being answered.
    Busy,
    /// A request is being answered, and the client takes nothing of it.
    Stalled,
}

/// What the stream, the service and the connection's task share. All of them run in one task, and atomics only satisfy the compiler;
/// but for the bodies of requests, which other tasks may hold.
#[derive(Default)]
pub(super) struct Watch {
    phase: AtomicU8,
    /// Counts changes of phase, so that a timer knows when to start anew.
    changes: AtomicU32,
    /// The last piece of an answer was handed over, and perhaps not written yet.
    finishing: AtomicBool,
    /// How many bodies of requests are held, and may be read.
    bodies: AtomicU32,
}

impl Watch {
    pub(super) fn phase(&self) -> (Phase, u32) {
        let phase = match self.phase.load(Ordering::Relaxed) {
            0 => Phase::Idle,
            1 => Phase::Head,
            2 => Phase::Busy,
            _ => Phase::Stalled,
        };
        (phase, self.changes.load(Ordering::Relaxed))
    }

    fn set(&self, phase: Phase) {
        self.phase.store(phase as u8, Ordering::Relaxed);
        self.changes.fetch_add(1, Ordering::Relaxed);
    }

    /// A request was read and goes to its handler.
    pub(super) fn request_begins(&self) {
        self.set(Phase::Busy);
        self.finishing.store(false, Ordering::Relaxed);
        self.bodies.fetch_add(1, Ordering::Relaxed);
    }

    /// The body of a request was dropped. The library knows as soon as it is polled again.
    pub(super) fn body_dropped(&self) {
        self.bodies.fetch_sub(1, Ordering::Release);
    }

    /// Whether the body of a request may still be read, also after its answer.
    pub(super) fn holds_body(&self) -> bool {
        self.bodies.load(Ordering::Acquire) > 0
    }

    /// Nothing more of the answer will come.
    pub(super) fn answer_ends(&self) {
        self.finishing.store(true, Ordering::Relaxed);
    }

    fn read(&self, bytes: &[u8]) {
        if self.phase().0 == Phase::Idle && !is_empty_lines(bytes) {
            self.set(Phase::Head);
        }
    }

    /// Everything handed over so far was written.
    fn flushed(&self) {
        if self.finishing.swap(false, Ordering::Relaxed) {
            self.set(Phase::Idle);
        }
    }

    fn wrote(&self, pending: bool) {
        match (self.phase().0, pending) {
            (Phase::Busy, true) => self.set(Phase::Stalled),
            (Phase::Stalled, false) => self.set(Phase::Busy),
            _ => {}
        }
    }

    /// Whether an answer of ours is being written. What else is written is the library's own.
    fn answers(&self) -> bool {
        matches!(self.phase().0, Phase::Busy | Phase::Stalled)
    }
}

/// Whether this is nothing of a request: servers skip empty lines before one (RFC 9112, 2.2).
pub(super) fn is_empty_lines(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| matches!(byte, b'\r' | b'\n'))
}

/// The stream itself.
pub(super) struct Guarded<S> {
    pub(super) stream: S,
    pub(super) watch: Arc<Watch>,
}

impl<S: AsyncRead + Unpin> AsyncRead for Guarded<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buffer);
        self.watch.read(&buffer.filled()[before..]);
        read
    }
}

impl<S: AsyncWrite + Unpin> Guarded<S> {
    fn written(&self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        self.watch.wrote(written.is_pending());
        written
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Guarded<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if !self.watch.answers() {
            return Poll::Ready(Ok(bytes.len()));
        }
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.written(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if !self.watch.answers() {
            return Poll::Ready(Ok(slices.iter().map(|slice| slice.len()).sum()));
        }
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.written(written)
    }

    /// So that the library hands our buffers on as they are, instead of copying them to memory that nobody wipes.
    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        if matches!(flushed, Poll::Ready(Ok(()))) {
            self.watch.flushed();
        }
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
