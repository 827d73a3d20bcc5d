-- Generated from deploy/src/postgres-init.ts.
\set ON_ERROR_STOP on
REVOKE ALL ON DATABASE fidelis FROM PUBLIC;
REVOKE ALL ON SCHEMA public FROM PUBLIC;

\getenv teacher_password FIDELIS_TEACHER_PASSWORD
CREATE ROLE teacher LOGIN PASSWORD :'teacher_password';
GRANT CONNECT ON DATABASE fidelis TO teacher;
CREATE SCHEMA teacher AUTHORIZATION teacher;

\getenv student_password FIDELIS_STUDENT_PASSWORD
CREATE ROLE student LOGIN PASSWORD :'student_password';
GRANT CONNECT ON DATABASE fidelis TO student;
CREATE SCHEMA student AUTHORIZATION student;

\getenv metrics_password FIDELIS_METRICS_PASSWORD
CREATE ROLE metrics LOGIN PASSWORD :'metrics_password';
GRANT CONNECT ON DATABASE fidelis TO metrics;
CREATE SCHEMA metrics AUTHORIZATION metrics;
