# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation that the Snowflake modules share."""

from __future__ import annotations


class ModuleDocFragment:
    """Options of the connection to Snowflake, and of each kind of object."""

    DOCUMENTATION = r"""
options:
  connection_name:
    description:
      - Name of a connection in C(connections.toml), or in the section C([connections]) of C(config.toml), which the
        connector and the Snowflake CLI keep in E(SNOWFLAKE_HOME), by default in C(~/.snowflake).
      - What a task says wins over what stands there, which wins over the environment. Instead of the file, a variable
        such as E(SNOWFLAKE_CONNECTIONS_<NAME>_PASSWORD) may hold a value. Settings that are no option here, such as a
        database, are left aside.
      - A file that its group or others may write is refused, and one that they may read is warned about, unless
        E(SF_SKIP_TOKEN_FILE_PERMISSIONS_VERIFICATION) is V(true).
      - Falls back to E(SNOWFLAKE_DEFAULT_CONNECTION_NAME) where the task has neither O(account) nor O(user) nor
        anything to log in with.
    type: str
  account:
    description:
      - Identifier of the account, for example V(myorg-myaccount). Needed, here or where O(connection_name) leads.
      - Falls back to the environment variable E(SNOWFLAKE_ACCOUNT).
    type: str
  user:
    description:
      - User who logs in. Needed, unless a token says who its user is.
      - Falls back to the environment variable E(SNOWFLAKE_USER).
    type: str
  host:
    description:
      - Host of the endpoint. Without it, C(<account>.snowflakecomputing.com).
      - Falls back to the environment variable E(SNOWFLAKE_HOST).
    type: str
  port:
    description:
      - Port of the endpoint. Without it, 443, or 80 for V(http).
      - Falls back to the environment variable E(SNOWFLAKE_PORT).
    type: int
  protocol:
    description:
      - Protocol of the endpoint. Without it, V(https). V(http) is refused unless every address of O(host) is a
        loopback or a private one.
      - Falls back to the environment variable E(SNOWFLAKE_PROTOCOL).
    type: str
    choices: [https, http]
  role:
    description:
      - Role of the session. It owns what is created. Without it, the default role of the user.
      - Falls back to the environment variable E(SNOWFLAKE_ROLE).
    type: str
  warehouse:
    description:
      - Warehouse of the session. Only reading tables needs one.
      - Falls back to the environment variable E(SNOWFLAKE_WAREHOUSE).
    type: str
  authenticator:
    description:
      - How to log in. Left out, the credential decides. The first of the task, the named connection and the environment
        that has one counts, and it must not have credentials of two kinds.
      - A private key means V(snowflake_jwt), O(password) means V(snowflake), and a token means
        V(programmatic_access_token). For an access token of OAuth, say V(oauth).
      - V(username_password_mfa) is for people whose second factor is a push message. Raise O(login_timeout) to the time
        that they take to answer it.
      - Falls back to the environment variable E(SNOWFLAKE_AUTHENTICATOR).
    type: str
    choices: [snowflake_jwt, programmatic_access_token, oauth, snowflake, username_password_mfa]
  private_key_path:
    description:
      - File with the private RSA key of O(user), in PEM (PKCS 8). What a service should log in with.
      - O(private_key_content) wins over it.
      - Falls back to the environment variables E(SNOWFLAKE_PRIVATE_KEY_PATH) and E(SNOWFLAKE_PRIVATE_KEY_FILE).
    type: path
  private_key_content:
    description:
      - The private key itself, for example from a vault.
      - Falls back to the environment variables E(SNOWFLAKE_PRIVATE_KEY_CONTENT) and E(SNOWFLAKE_PRIVATE_KEY_RAW).
    type: str
  private_key_passphrase:
    description:
      - Passphrase of an encrypted private key.
      - Falls back to the environment variables E(SNOWFLAKE_PRIVATE_KEY_PASSPHRASE), E(SNOWFLAKE_PRIVATE_KEY_FILE_PWD)
        and E(PRIVATE_KEY_PASSPHRASE).
    type: str
  token:
    description:
      - A programmatic access token, or an access token of OAuth with O(authenticator=oauth).
      - Falls back to the environment variable E(SNOWFLAKE_TOKEN).
    type: str
  token_file_path:
    description:
      - File with the token and nothing else. O(token) wins over it.
      - Falls back to the environment variable E(SNOWFLAKE_TOKEN_FILE_PATH).
    type: path
  password:
    description:
      - Password of a person. A service has none; Snowflake refuses it.
      - Falls back to the environment variable E(SNOWFLAKE_PASSWORD).
    type: str
  passcode:
    description:
      - One-time code that the authenticator of the person shows now, where O(password) alone is not enough.
      - Falls back to the environment variable E(SNOWFLAKE_MFA_PASSCODE).
    type: str
  login_timeout:
    description:
      - Seconds after which a login is given up. An attempt that is under way by then is finished first, so that it may
        take twice as long, and with a key pair another 10 seconds.
    type: int
    default: 30
  network_timeout:
    description:
      - Seconds to wait for the answer to a statement, all retries included.
    type: int
    default: 120
requirements:
  - snowflake-connector-python >= 4.5, < 5
attributes:
  platform:
    description: Runs where Python 3.11 or later runs and reaches the account, usually on the control node.
    platforms: posix
    support: full
"""

    CHANGES = r"""
attributes:
  check_mode:
    description: Makes the same plan and sends only statements that read.
    support: full
  diff_mode:
    description: Shows each object that changes, before and after; RSA keys by their fingerprints.
    support: full
notes:
  - An option that is left out is not managed; an empty string removes what was set.
  - Nothing is dropped or revoked that is not named with O(ignore:state=absent). Objects and grants that are not listed
    stay as they are.
  - Names follow the rules of SQL. V(raw) and V(RAW) are the same object, V("raw") in double quotes is another.
  - What an option refers to must exist or be created by the same task. In check mode it is only warned about, because
    a task before this one may be about to create it.
  - An object that the session's role may not see looks like one that does not exist.
"""

    RESOURCE_MONITORS = r"""
options:
  resource_monitors:
    description:
      - Resource monitors, which act when the warehouses that have them have used up their credits.
      - Only O(role=ACCOUNTADMIN) creates them.
    type: list
    elements: dict
    suboptions:
      name:
        description: Name of the monitor.
        type: str
        required: true
      credit_quota:
        description: Credits for each period. A monitor without them never acts.
        type: int
      frequency:
        description: Period after which used credits count from 0 again. Changing it begins a period at once.
        type: str
        choices: [monthly, daily, weekly, yearly, never]
      triggers:
        description:
          - What happens at which part of the quota, at most five that notify and one of each other kind. They replace
            all that a monitor has.
        type: list
        elements: dict
        suboptions:
          at:
            description: Percentage of the quota; it may be more than 100.
            type: int
            required: true
          do:
            description:
              - V(notify) tells account administrators who asked for it, V(suspend) lets running statements end, and
                V(suspend_immediate) ends them.
            type: str
            required: true
            choices: [notify, suspend, suspend_immediate]
      state:
        description: Whether it exists.
        type: str
        choices: [present, absent]
        default: present
"""

    WAREHOUSES = r"""
options:
  warehouses:
    description:
      - Warehouses.
    type: list
    elements: dict
    suboptions:
      name:
        description: Name of the warehouse.
        type: str
        required: true
      size:
        description: Size, for example V(XSMALL) or V(X-Small). A new warehouse gets V(XSMALL).
        type: str
      auto_suspend:
        description: Idle seconds after which the warehouse suspends, V(0) for never. A new warehouse gets V(60).
        type: int
      auto_resume:
        description: Whether a query resumes it. A new warehouse does.
        type: bool
      initially_suspended:
        description: Whether a new warehouse starts suspended, which it does by default. Not compared later.
        type: bool
      suspended:
        description:
          - Whether the warehouse is suspended. V(true) suspends it as soon as its running statements have ended.
          - A warehouse with O(warehouses[].auto_resume) starts again with the next query. Left out, its state is not
            touched.
        type: bool
      min_clusters:
        description: Clusters that run at least. More than one needs the Enterprise edition.
        type: int
      max_clusters:
        description: Clusters that run at most.
        type: int
      scaling_policy:
        description: Whether more clusters start early (V(standard)) or only when they would be kept busy.
        type: str
        choices: [standard, economy]
      resource_monitor:
        description: Resource monitor that counts the warehouse's credits. An empty string takes it away.
        type: str
      comment:
        description: Comment.
        type: str
      state:
        description: Whether it exists.
        type: str
        choices: [present, absent]
        default: present
"""

    DATABASES = r"""
options:
  databases:
    description:
      - Databases.
    type: list
    elements: dict
    suboptions:
      name:
        description: Name of the database.
        type: str
        required: true
      data_retention_days:
        description: Days for which Time Travel reaches back; more than 1 needs the Enterprise edition.
        type: int
      comment:
        description: Comment.
        type: str
      state:
        description: Whether it exists. V(absent) drops it with everything in it.
        type: str
        choices: [present, absent]
        default: present
"""

    SCHEMAS = r"""
options:
  schemas:
    description:
      - Schemas.
    type: list
    elements: dict
    suboptions:
      name:
        description: Database and schema, for example V(RAW.THEHANGERDB).
        type: str
        required: true
      managed_access:
        description: Whether the owner of the schema alone grants privileges on what is in it.
        type: bool
      data_retention_days:
        description: Days for which Time Travel reaches back; more than 1 needs the Enterprise edition.
        type: int
      comment:
        description: Comment.
        type: str
      state:
        description: Whether it exists. V(absent) drops it with everything in it.
        type: str
        choices: [present, absent]
        default: present
"""

    USERS = r"""
options:
  users:
    description:
      - Users. They have keys, not passwords.
    type: list
    elements: dict
    suboptions:
      name:
        description: Name of the user.
        type: str
        required: true
      type:
        description: Type of the user. A new user is a V(service).
        type: str
        choices: [service, legacy_service, person]
      rsa_public_key:
        description:
          - Public key in PEM or as bare base64. It is compared by fingerprint.
        type: str
      rsa_public_key_2:
        description: A second key, which logs in as well while the first one is being replaced.
        type: str
      login_name:
        description: Name to log in with, without regard to case. A new user logs in with its own.
        type: str
      display_name:
        description: Name that people see.
        type: str
      email:
        description: E-mail address.
        type: str
      default_role:
        description: Role of a session that asks for none. It does not grant the role, see O(users[].roles).
        type: str
      default_warehouse:
        description: Warehouse of a session that asks for none.
        type: str
      default_namespace:
        description: Database, or database and schema, of a new session.
        type: str
      roles:
        description: Roles that the user gets. The user keeps others.
        type: list
        elements: str
      disabled:
        description: Whether the user cannot log in.
        type: bool
      comment:
        description: Comment.
        type: str
      state:
        description: Whether it exists.
        type: str
        choices: [present, absent]
        default: present
"""
