"""The lab's RDS: moto's books of instances, parameter groups and subnet groups. No database stands behind an instance.

What differs from moto is what AWS tells and refuses where the platform depends on it: every parameter of a family with
its type and range, parameters that wait for a reboot, the speed of gp3, a version's newest minor one, and what is still
in use. `files/postgres.tsv` has the parameters of PostgreSQL 17, as pg_settings describes them; which of them RDS keeps
to itself, and its own `rds.*`, were not compared with AWS, which may know more or other ones.
"""
