"""The peer Flask: SQLAlchemy's ORM and jsonify."""
import datetime
import decimal

from flask import Flask, abort, jsonify, request
from sqlalchemy.orm import selectinload

from models import Employee, Session, claims

app = Flask(__name__)

COLUMNS = [column.name for column in Employee.__table__.columns]


def plain(value):
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, decimal.Decimal):
        return str(value)
    return value


def as_dict(employee):
    return {name: plain(getattr(employee, name)) for name in COLUMNS}


def with_salaries(employee):
    salaries = [{"id": s.id, "salary": s.salary, "date": plain(s.date)} for s in employee.salary_history]
    return dict(as_dict(employee), salary_history=salaries)


@app.before_request
def authenticate():
    if claims(request.headers.get("Authorization")) is None:
        abort(401)


@app.get("/rest/v1/employee/<int:eid>")
def by_key(eid):
    with Session() as session:
        employee = session.get(Employee, eid)
        if employee is None:
            abort(404)
        return jsonify(as_dict(employee))


@app.get("/rest/v1/employees")
def page():
    with Session() as session:
        query = (session.query(Employee).filter(Employee.division == "Division " + request.args["division"])
                 .order_by(Employee.eid.desc()).limit(25))
        return jsonify([as_dict(employee) for employee in query])


@app.get("/rest/v1/nested")
def nested():
    with Session() as session:
        query = (session.query(Employee).options(selectinload(Employee.salary_history))
                 .order_by(Employee.eid).limit(25).offset(1000))
        return jsonify([with_salaries(employee) for employee in query])
