use crate::journal::{Journal, Refusal};
use crate::state::State;
use strongroom_domain::directory::DirectoryObject;
use strongroom_domain::unit::{Expect, UniqueKey};

pub(super) fn apply(state: &mut State, object: DirectoryObject, journal: &mut Journal) -> Result<(), Refusal> {
    let (kind, id, organisation) = (object.kind(), object.id(), object.organisation());
    let handle = object.handle();
    if state.objects.holder(organisation, kind, &handle).is_some_and(|holder| holder != id) {
        let taken = UniqueKey::Handle(organisation, kind, handle.into_owned());
        return Err(Refusal::Conflict(Expect::Absent(taken)));
    }
    let old = state.objects.put(object);
    journal.undo(move |state| {
        drop(match old {
            Some(old) => state.objects.put(old),
            None => state.objects.take(kind, id),
        });
    });
    Ok(())
}
