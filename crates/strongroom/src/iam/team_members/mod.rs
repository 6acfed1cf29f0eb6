//! The members of teams. Changing them is changing the team.

mod create;
mod delete;

pub use create::{AddTeamMember, NewTeamMember};
pub use delete::RemoveTeamMember;

use super::permit::Attempted;
use strongroom_domain::audit::Resource;
use strongroom_domain::directory::TeamMember;

/// What the log says of a member: which team, and who.
fn resource(attempted: Attempted, member: &TeamMember) -> Resource {
    attempted.object(format!("{}/{}", member.team, member.user), member.id.uuid())
}
