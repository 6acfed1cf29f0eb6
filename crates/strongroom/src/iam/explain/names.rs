//! What roles, bindings and teams are called.

use super::view::BoundBy;
use crate::engine::Engine;
use crate::error::Error;
use std::collections::HashMap;
use strongroom_domain::directory::{Binding, BoundTo, Role, Team};
use strongroom_domain::id::{BindingId, OrganisationId, RoleId};
use strongroom_domain::port::ObjectSelector;
use uuid::Uuid;

impl Engine {
    /// How roles came to a principal. What is gone since has no name.
    pub(super) async fn named_bindings(
        &self,
        organisation: OrganisationId,
        wanted: &[(RoleId, BindingId)],
    ) -> Result<Vec<BoundBy>, Error> {
        let of = Some(organisation);
        let ids = |ids: Vec<Uuid>| ObjectSelector::Ids(ids);
        let bindings: Vec<Binding> =
            self.objects(of, ids(unique(wanted.iter().map(|(_, binding)| binding.uuid())))).await?;
        let bindings: HashMap<_, _> = bindings.into_iter().map(|binding| (binding.id, binding)).collect();
        let roles: Vec<Role> = self.objects(of, ids(unique(wanted.iter().map(|(role, _)| role.uuid())))).await?;
        let roles: HashMap<_, _> = roles.into_iter().map(|role| (role.id, role.named.name)).collect();
        let team_of = |binding: &Binding| match binding.to {
            BoundTo::Team(team) => Some(team),
            BoundTo::User(_) | BoundTo::ServiceAccount(_) => None,
        };
        let teams = unique(bindings.values().filter_map(team_of).map(strongroom_domain::id::TeamId::uuid));
        let teams: Vec<Team> = self.objects(of, ids(teams)).await?;
        let teams: HashMap<_, _> = teams.into_iter().map(|team| (team.id, team.named.name)).collect();
        let named = |(role, binding): &(RoleId, BindingId)| {
            let found = bindings.get(binding);
            let team = found.and_then(team_of);
            BoundBy {
                role: (*role, roles.get(role).cloned().unwrap_or_default()),
                binding: (*binding, found.map(|found| found.named.name.clone()).unwrap_or_default()),
                team: team.map(|team| (team, teams.get(&team).cloned().unwrap_or_default())),
            }
        };
        Ok(wanted.iter().map(named).collect())
    }
}

fn unique(ids: impl Iterator<Item = Uuid>) -> Vec<Uuid> {
    let mut ids: Vec<_> = ids.collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}
