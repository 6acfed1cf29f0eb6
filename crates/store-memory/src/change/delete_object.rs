use crate::journal::Journal;
use crate::state::State;
use strongroom_domain::directory::ObjectKind;
use uuid::Uuid;

pub(super) fn apply(state: &mut State, kind: ObjectKind, id: Uuid, journal: &mut Journal) {
    if let Some(old) = state.objects.take(kind, id) {
        journal.undo(move |state| drop(state.objects.put(old)));
    }
}
