use super::{A_PAGE, Work};
use crate::error::Error;
use strongroom_domain::audit::{ChainState, Finding, FindingKind, SignedCheckpoint};
use strongroom_domain::port::StoredCheckpoint;

impl Work<'_> {
    /// Whether each stream has what each checkpoint tells of it, not only the last: who has a stolen key can write a stream anew, but not
    /// what was told of it before an anchor. Whether it came to the end.
    pub(super) async fn ends(&mut self) -> Result<bool, Error> {
        loop {
            let page = self.engine.ports.audit.checkpoints(self.cursor.ends, A_PAGE).await?;
            if page.is_empty() {
                return Ok(true);
            }
            for stored in page {
                if self.is_over() {
                    return Ok(false);
                }
                self.cursor.ends = stored.number;
                self.count(1);
                for end in self.told_by(&stored) {
                    self.left = self.left.saturating_sub(1);
                    self.check_end(stored.number, end).await?;
                }
            }
        }
    }

    /// What a checkpoint tells, if it is signed. Whether it is chained was checked before.
    fn told_by(&self, stored: &StoredCheckpoint) -> Vec<ChainState> {
        let Some(SignedCheckpoint { checkpoint, signature }) = stored.read() else { return Vec::new() };
        let public = self.ledger.keys().get(signature.key_version);
        let holds =
            public.is_some_and(|it| self.ports.verifier.verify(it, &checkpoint.signed_bytes(), &signature.bytes));
        if holds { checkpoint.ends } else { Vec::new() }
    }

    /// A record that is gone was told of with its stream.
    async fn check_end(&mut self, number: u64, end: ChainState) -> Result<(), Error> {
        let found = self.engine.links_after(end.stream, end.sequence.saturating_sub(1), 1).await?;
        let differs = found.first().is_some_and(|link| link.sequence == end.sequence && link.hash != end.hash);
        if differs {
            let finding = Finding::at_record(FindingKind::CheckpointDiffers, end.stream, end.sequence);
            self.found(Finding { checkpoint: Some(number), ..finding });
        }
        Ok(())
    }
}
