-- The gym's operational data. A parent stands before its children, so the file's order is also the order to load in.

CREATE TABLE IF NOT EXISTS membertypes (
    member_type_id integer PRIMARY KEY,
    member_type varchar(10) NOT NULL
);

CREATE TABLE IF NOT EXISTS memberstatustypes (
    member_status_type_id integer PRIMARY KEY,
    member_status_type varchar(10) NOT NULL
);

CREATE TABLE IF NOT EXISTS addressstati (
    address_status_id integer PRIMARY KEY,
    address_status varchar(10) NOT NULL
);

CREATE TABLE IF NOT EXISTS routecolors (
    route_color_id integer PRIMARY KEY,
    route_color varchar(10) NOT NULL
);

CREATE TABLE IF NOT EXISTS climbinggrades (
    climbing_grade_id integer PRIMARY KEY,
    climbing_grade varchar(10) NOT NULL
);

CREATE TABLE IF NOT EXISTS members (
    member_id integer PRIMARY KEY,
    member_first_name varchar(255),
    member_last_name varchar(255),
    member_gender varchar(255),
    member_email varchar(255),
    member_phone varchar(255),
    member_age integer,
    member_joined_datetime timestamp,
    member_type integer REFERENCES membertypes,
    member_status integer REFERENCES memberstatustypes
);
CREATE INDEX IF NOT EXISTS members_member_type_idx ON members (member_type);
CREATE INDEX IF NOT EXISTS members_member_status_idx ON members (member_status);

CREATE TABLE IF NOT EXISTS memberaddresses (
    member_id integer NOT NULL REFERENCES members,
    address varchar(255) NOT NULL,
    state varchar(2),
    postal_code integer,
    city varchar(30),
    country varchar(30),
    address_status integer REFERENCES addressstati,
    PRIMARY KEY (member_id, address)
);
CREATE INDEX IF NOT EXISTS memberaddresses_address_status_idx ON memberaddresses (address_status);

CREATE TABLE IF NOT EXISTS climbingsessions (
    climbing_session_id integer PRIMARY KEY,
    member_id integer NOT NULL REFERENCES members,
    scan_in_datetime timestamp,
    scan_out_datetime timestamp
);
CREATE INDEX IF NOT EXISTS climbingsessions_member_id_scan_in_datetime_idx
    ON climbingsessions (member_id, scan_in_datetime);

CREATE TABLE IF NOT EXISTS routes (
    route_id integer PRIMARY KEY,
    gym_quadrant integer,
    route_color integer REFERENCES routecolors,
    route_grade_id integer REFERENCES climbinggrades
);
CREATE INDEX IF NOT EXISTS routes_route_color_idx ON routes (route_color);
CREATE INDEX IF NOT EXISTS routes_route_grade_id_idx ON routes (route_grade_id);

CREATE TABLE IF NOT EXISTS routeclimbs (
    route_climb_id integer PRIMARY KEY,
    route_id integer NOT NULL REFERENCES routes,
    member_id integer NOT NULL REFERENCES members,
    route_climb_start_datetime timestamp,
    route_climb_end_datetime timestamp,
    route_climb_rating integer CHECK (route_climb_rating BETWEEN 1 AND 10)
);
CREATE INDEX IF NOT EXISTS routeclimbs_route_id_idx ON routeclimbs (route_id);
CREATE INDEX IF NOT EXISTS routeclimbs_member_id_route_climb_start_datetime_idx
    ON routeclimbs (member_id, route_climb_start_datetime);
