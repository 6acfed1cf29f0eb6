use super::plain::Planned;
use crate::contract::Store;
use crate::{build, units};
use strongroom_domain::directory::{DirectoryObject, ObjectKind, Team};
use strongroom_domain::id::TeamId;
use strongroom_domain::port::{CommitErrorKind, ObjectSelector};
use strongroom_domain::tenancy::Organisation;
use strongroom_domain::unit::{Change, Revision, Unit};

const SLUGS: [&str; 3] = ["a", "A", "b"];

/// Two organisations, each with up to four teams that take slugs from each other.
#[derive(Clone)]
pub(super) struct PlainDirectory {
    /// Those that were made.
    organisations: [Option<Organisation>; 2],
    ids: [[TeamId; 4]; 2],
    teams: Vec<Team>,
}

impl PlainDirectory {
    pub(super) fn new() -> Self {
        let ids = || core::array::from_fn(|_| TeamId::new(build::uuid()));
        Self { organisations: [None, None], ids: [ids(), ids()], teams: Vec::new() }
    }

    /// Makes the organisation when there is none yet, or changes its directory as `change` says.
    fn revise(
        &mut self,
        which: usize,
        fresh: bool,
        change: impl FnOnce(&mut Self, &Organisation) -> (Change, Result<(), CommitErrorKind>),
    ) -> Planned {
        let which = which % self.organisations.len();
        let Some(mut before) = self.organisations[which].clone() else {
            let organisation = build::organisation(&format!("o{which}"));
            self.organisations[which] = Some(organisation.clone());
            return Planned::Commit(units::of(vec![Change::InsertOrganisation(organisation)]), Ok(()));
        };
        if !fresh {
            before.revision = Revision::new(1_000);
        }
        let (change, outcome) = change(self, &before);
        let (unit, after) = units::revise(&before, vec![change]);
        self.organisations[which] = Some(after);
        if !fresh {
            // Nobody says what to expect: the change itself must notice.
            let unit = Unit { expect: Vec::new(), ..unit };
            return Planned::Commit(unit, Err(CommitErrorKind::Conflict(units::unchanged_organisation(&before))));
        }
        Planned::Commit(unit, outcome)
    }

    pub(super) fn put(&mut self, which: usize, team: usize, slug: usize, fresh: bool) -> Planned {
        self.revise(which, fresh, |plain, organisation| {
            let ids = &plain.ids[which % 2];
            let id = ids[team % ids.len()];
            let team = Team { id, ..build::team(organisation.id, SLUGS[slug % SLUGS.len()]) };
            let taken = plain.teams.iter().any(|other| {
                other.organisation == team.organisation && other.named.slug == team.named.slug && other.id != id
            });
            let absent = units::handle_is_free(&team.clone().into());
            plain.teams.retain(|other| other.id != id);
            plain.teams.push(team.clone());
            (units::put(team), if taken { Err(CommitErrorKind::Conflict(absent)) } else { Ok(()) })
        })
    }

    pub(super) fn delete(&mut self, which: usize, team: usize) -> Planned {
        self.revise(which, true, |plain, _| {
            let ids = &plain.ids[which % 2];
            let id = ids[team % ids.len()];
            plain.teams.retain(|other| other.id != id);
            (Change::DeleteObject { kind: ObjectKind::Team, id: id.uuid() }, Ok(()))
        })
    }

    /// Compares the organisations, and the teams by one selector, another at every step.
    pub(super) async fn compare(&self, store: &Store, step: usize) {
        let organisations: Vec<_> = self.organisations.iter().flatten().cloned().collect();
        assert_eq!(store.tenancy.organisations().await.expect("readable"), organisations);
        let (slug, id) = (SLUGS[step / 4 % SLUGS.len()], self.ids.as_flattened()[step / 4 % 8]);
        let within = organisations.get(step % 3).map(|organisation| organisation.id);
        let which = match step % 4 {
            0 => ObjectSelector::Handle(slug.to_owned()),
            1 => ObjectSelector::Ids(vec![id.uuid()]),
            _ => ObjectSelector::All,
        };
        let seen = |team: &&Team| {
            let wanted = match &which {
                ObjectSelector::Handle(_) => team.named.slug == slug,
                ObjectSelector::Ids(_) => team.id == id,
                _ => true,
            };
            wanted && within.is_none_or(|organisation| team.organisation == organisation)
        };
        let mut teams: Vec<_> = self.teams.iter().filter(seen).cloned().map(DirectoryObject::from).collect();
        teams.sort_by_key(DirectoryObject::id);
        assert_eq!(store.objects(ObjectKind::Team, within, which).await, teams);
    }
}
