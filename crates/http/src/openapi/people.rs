//! Teams, members and users.

use super::answers::Header::NoStore;
use super::operation::Operation;
use super::parameters::{NAMED, filters};
use serde_json::json;
use strongroom_api::{
    IssuedPersonalAccessToken, NewNamed, NewOrganisationMember, NewPersonalAccessToken, NewTeamMember, NewUser,
    OrganisationMember, PersonalAccessToken, Team, TeamMember, UpdateNamed, UpdateOrganisationMember, User,
};

pub(super) fn operations() -> Vec<Operation> {
    let mut all = teams();
    all.extend(memberships());
    all.extend(users());
    all
}

fn teams() -> Vec<Operation> {
    vec![
        Operation::new("GET /v1/teams", "listTeams", "Lists teams with their members")
            .about("Permission `list` on `team`.")
            .organisation()
            .parameters(filters(&NAMED))
            .gives_list::<Team>("The teams."),
        Operation::new("POST /v1/teams", "createTeam", "Creates a team without members")
            .about("Permission `create` on `team`.")
            .organisation()
            .takes::<NewNamed>(json!({"name": "Web"}))
            .gives::<Team>(201, "The team."),
        Operation::new("GET /v1/teams/{id}", "getTeam", "Shows a team with its members")
            .about("Permission `read` on `team`.")
            .organisation()
            .gives::<Team>(200, "The team."),
        Operation::new("PUT /v1/teams/{id}", "updateTeam", "Changes a team")
            .about("What isn't given stays, and so does the slug. Permission `update` on `team`.")
            .organisation()
            .takes::<UpdateNamed>(json!({"description": "of the web shop"}))
            .gives::<Team>(200, "The team."),
        Operation::new("DELETE /v1/teams/{id}", "deleteTeam", "Deletes a team, its members and bindings")
            .about("Permission `delete` on `team`.")
            .organisation()
            .takes_nothing()
            .gives_nothing(204, "It is gone."),
        Operation::new("POST /v1/teams/{id}/members", "addTeamMember", "Adds a user to a team")
            .about("Nobody gives what they lack. Permission `update` on `team`.")
            .organisation()
            .takes::<NewTeamMember>(json!({"userIdentity": "u-01"}))
            .gives::<TeamMember>(201, "The member.")
            .refuses(&[409]),
        Operation::new("DELETE /v1/teams/{id}/members/{part}", "removeTeamMember", "Removes a user from a team")
            .about("By the identity of the user or of the member. Permission `update` on `team`.")
            .organisation()
            .takes_nothing()
            .gives_nothing(204, "They are no member any more."),
    ]
}

fn memberships() -> Vec<Operation> {
    vec![
        Operation::new("GET /v1/memberships", "listMemberships", "Lists the members of the organisation")
            .about("Permission `list` on `organisation_member`.")
            .organisation()
            .parameters(filters(&["FilterIdentity"]))
            .gives_list::<OrganisationMember>("The memberships."),
        Operation::new(
            "POST /v1/memberships",
            "createMembership",
            "Makes a user a member who belongs to no organisation",
        )
        .about("Permission `create` on `organisation_member`.")
        .organisation()
        .takes::<NewOrganisationMember>(json!({"userIdentity": "u-01"}))
        .gives::<OrganisationMember>(201, "The membership.")
        .refuses(&[404, 409]),
        Operation::new("PUT /v1/memberships/{id}", "updateMembership", "Changes what a member is")
            .about("Only owners make or demote owners. Permission `update` on `organisation_member`.")
            .organisation()
            .takes::<UpdateOrganisationMember>(json!({"role": "OWNER"}))
            .gives::<OrganisationMember>(200, "The membership."),
        Operation::new("DELETE /v1/memberships/{id}", "deleteMembership", "Removes a member from the organisation")
            .about("Permission `delete` on `organisation_member`; none for one's own.")
            .organisation()
            .takes_nothing()
            .gives_nothing(204, "They are no member any more."),
    ]
}

fn users() -> Vec<Operation> {
    vec![
        Operation::new("GET /v1/users", "listUsers", "Lists the users who are members")
            .about("Permission `list` on `organisation_member`.")
            .organisation()
            .parameters(filters(&["FilterIdentity", "FilterName"]))
            .gives_list::<User>("The users."),
        Operation::new("POST /v1/users", "createUser", "Creates a user, who is a member")
            .about("For owners.")
            .organisation()
            .takes::<NewUser>(json!({"name": "Ada", "email": "ada@example.com"}))
            .gives::<User>(201, "The user."),
        Operation::new("GET /v1/users/{id}", "getUser", "Shows a user")
            .about("Permission `read` on `organisation_member`.")
            .organisation()
            .gives::<User>(200, "The user."),
        Operation::new(
            "GET /v1/users/{id}/personal-access-tokens",
            "listUserTokens",
            "Lists a user's tokens of this organisation",
        )
        .about("For owners.")
        .organisation()
        .gives_list::<PersonalAccessToken>("The tokens, without their texts."),
        Operation::new("POST /v1/users/{id}/personal-access-tokens", "createUserToken", "Makes a token for a user")
            .about("It acts in this organisation only. For owners.")
            .organisation()
            .takes::<NewPersonalAccessToken>(json!({"name": "first"}))
            .gives::<IssuedPersonalAccessToken>(201, "The token, which is never shown again.")
            .with(201, &[NoStore]),
        Operation::new(
            "DELETE /v1/users/{id}/personal-access-tokens/{part}",
            "deleteUserToken",
            "Deletes a user's token",
        )
        .about("One that is bound to this organisation. For owners.")
        .organisation()
        .takes_nothing()
        .gives_nothing(204, "It opens nothing any more."),
    ]
}
