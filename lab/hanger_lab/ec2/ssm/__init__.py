"""Session Manager in the lab: sessions with machines through the engine, without an open port.

As on AWS, an instance takes sessions when it runs, its profile lets the agent register and open channels, and the
agent runs in it: user data installs it from a package that the lab's S3 offers where AWS's does. A session is a
terminal of the user ssm-user, or a forwarded port of the instance.

What differs: the agent is a stand-in that prepares the user and waits; the plugin reaches the machine through the
Docker engine, not by a web socket; sessions end with the lab's EC2 endpoint; documents of your own are unknown.
"""
