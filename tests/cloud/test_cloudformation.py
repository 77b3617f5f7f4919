"""
The CloudFormation template by rules of our own: what it says of the network, the database, the hosts and their rights. And by
moto, where Debian's archive has it: the stack is made in its imitation of AWS, and what came of it is looked at.
"""
import json
import os
import pathlib
import re
import shutil
import subprocess

import pytest
import yaml

REPO = pathlib.Path(__file__).resolve().parents[2]
TEMPLATE = REPO / 'ansible/cloudformation/rowgate.yml'
FOLDER = pathlib.Path(os.environ.get('ROWGATE_TEST_DIR', REPO / 'var-test'))


class Loader(yaml.SafeLoader):
    """!Ref X and !GetAtt A.B as CloudFormation reads them."""


def tag(loader, suffix, node):
    value = (loader.construct_scalar(node) if isinstance(node, yaml.ScalarNode) else
             loader.construct_sequence(node, deep=True) if isinstance(node, yaml.SequenceNode) else
             loader.construct_mapping(node, deep=True))
    if suffix == 'GetAtt' and isinstance(value, str):
        value = value.split('.', 1)
    return {suffix if suffix in ('Ref', 'Condition') else f'Fn::{suffix}': value}


Loader.add_multi_constructor('!', tag)


@pytest.fixture(scope='module')
def template():
    return yaml.load(TEMPLATE.read_text(), Loader)


@pytest.fixture(scope='module')
def resources(template):
    return template['Resources']


def of(resources, kind):
    return {name: r['Properties'] for name, r in resources.items() if r['Type'] == kind}


def walk(value):
    yield value
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from walk(part)


def test_every_reference_leads_somewhere(template, resources):
    known = set(resources) | set(template['Parameters'])
    for part in walk(template):
        if isinstance(part, dict) and set(part) == {'Ref'}:
            assert part['Ref'] in known or part['Ref'].startswith('AWS::'), part
        if isinstance(part, dict) and set(part) == {'Fn::GetAtt'}:
            assert part['Fn::GetAtt'][0] in resources, part
        if isinstance(part, dict) and set(part) == {'Fn::Sub'} and isinstance(part['Fn::Sub'], str):
            for name in re.findall(r'\$\{([^!}]*)\}', part['Fn::Sub']):
                assert name.split('.')[0] in known or name.startswith('AWS::'), name
        if isinstance(part, dict) and isinstance(part.get('Condition'), str):
            assert part['Condition'] in template['Conditions']
    for resource in resources.values():
        for name in [resource['DependsOn']] if isinstance(resource.get('DependsOn'), str) else resource.get('DependsOn', []):
            assert name in resources


def test_every_parameter_is_used(template):
    text = json.dumps([template['Resources'], template['Conditions']])
    assert not [p for p in template['Parameters'] if f'"Ref": "{p}"' not in text and f'${{{p}}}' not in text]


def test_the_database_is_reached_from_the_hosts_alone(resources):
    groups = of(resources, 'AWS::EC2::SecurityGroup')
    rules = groups['DbGroup']['SecurityGroupIngress']
    assert [(r['FromPort'], r['ToPort'], r.get('SourceSecurityGroupId'), r.get('CidrIp')) for r in rules] == \
        [(3306, 3306, {'Ref': 'AppGroup'}, None)]
    assert not of(resources, 'AWS::EC2::SecurityGroupIngress')
    for database in of(resources, 'AWS::RDS::DBInstance').values():
        assert database['VPCSecurityGroups'] == [{'Ref': 'DbGroup'}] and database['PubliclyAccessible'] is False


def test_the_hosts_are_reached_from_the_load_balancer_alone(resources):
    groups = of(resources, 'AWS::EC2::SecurityGroup')
    assert [(r['FromPort'], r.get('SourceSecurityGroupId'), r.get('CidrIp')) for r in groups['AppGroup']['SecurityGroupIngress']] == \
        [(443, {'Ref': 'BalancerGroup'}, None)]
    assert {r['FromPort'] for r in groups['BalancerGroup']['SecurityGroupIngress']} == {80, 443}
    everywhere = [(name, r['FromPort']) for name, g in groups.items() for r in g['SecurityGroupIngress'] if r.get('CidrIp') == '0.0.0.0/0']
    assert not everywhere  # the load balancer's is a parameter


def test_every_group_says_what_goes_out(resources):
    for name, group in of(resources, 'AWS::EC2::SecurityGroup').items():
        assert group['SecurityGroupEgress'], name
        assert all(r['IpProtocol'] != '-1' and r['Description'] for r in group['SecurityGroupEgress'] + group['SecurityGroupIngress'])


def test_subnets(resources):
    def routes_of(subnet):
        tables = [a['RouteTableId']['Ref'] for a in of(resources, 'AWS::EC2::SubnetRouteTableAssociation').values()
                  if a['SubnetId']['Ref'] == subnet]
        assert len(tables) == 1, subnet
        return [r for r in of(resources, 'AWS::EC2::Route').values() if r['RouteTableId']['Ref'] == tables[0]]
    subnets = of(resources, 'AWS::EC2::Subnet')
    for name, subnet in subnets.items():
        way = {'Public': 'GatewayId', 'AppA': 'NatGatewayId', 'AppB': 'NatGatewayId'}.get(name if name.startswith('App') else name[:6])
        assert [list(set(r) & {'GatewayId', 'NatGatewayId'})[0] for r in routes_of(name)] == ([way] if way else []), name
        assert not subnet.get('MapPublicIpOnLaunch')
    zones = {name: subnet['AvailabilityZone']['Fn::Select'][0] for name, subnet in subnets.items()}
    for kind in ('Public', 'App', 'Db'):
        assert {zones[kind + 'A'], zones[kind + 'B']} == {0, 1}
    assert len({s['CidrBlock']['Fn::Select'][0] for s in subnets.values()}) == len(subnets)
    assert [s['Ref'] for s in of(resources, 'AWS::RDS::DBSubnetGroup')['DbSubnets']['SubnetIds']] == ['DbA', 'DbB']
    assert [s['Ref'] for s in resources['Hosts']['Properties']['VPCZoneIdentifier']] == ['AppA', 'AppB']


def test_the_database(template, resources):
    db = resources['Db']['Properties']
    assert db['MultiAZ'] is True and db['StorageEncrypted'] is True and db['DeletionProtection'] is True
    assert db['BackupRetentionPeriod'] >= 7 and db['CopyTagsToSnapshot'] and db['AutoMinorVersionUpgrade']
    assert resources['Db']['DeletionPolicy'] == resources['Db']['UpdateReplacePolicy'] == 'Snapshot'
    parameters = resources['DbParameters']['Properties']['Parameters']
    assert parameters['require_secure_transport'] == '1' and parameters['log_bin_trust_function_creators'] == '1'
    assert parameters['innodb_flush_log_at_trx_commit'] == parameters['sync_binlog'] == '1'
    assert db['DBParameterGroupName'] == {'Ref': 'DbParameters'}
    assert db['MasterUserPassword']['Fn::Sub'].startswith('{{resolve:secretsmanager:')
    replica = resources['DbReplica']['Properties']
    assert replica['DBParameterGroupName'] == {'Ref': 'DbParameters'}
    # Those of its source: AWS takes neither from a replica.
    assert not {'StorageEncrypted', 'DBSubnetGroupName', 'MasterUsername', 'BackupRetentionPeriod'} & set(replica)
    assert re.fullmatch(template['Parameters']['DbEngineVersion']['AllowedPattern'], template['Parameters']['DbEngineVersion']['Default'])
    assert resources['DbParameters']['Properties']['Family'] == 'mysql' + template['Parameters']['DbEngineVersion']['Default']


def test_the_hosts(resources):
    data = resources['HostTemplate']['Properties']['LaunchTemplateData']
    assert data['MetadataOptions'] == {'HttpTokens': 'required', 'HttpEndpoint': 'enabled', 'HttpPutResponseHopLimit': 1}
    assert all(d['Ebs']['Encrypted'] is True for d in data['BlockDeviceMappings'])
    assert 'KeyName' not in data and 'NetworkInterfaces' not in data
    tags = {t['Key']: t['Value'] for s in data['TagSpecifications'] for t in s['Tags'] if s['ResourceType'] == 'instance'}
    assert tags['Application'] == 'rowgate'  # inventories/production.example/aws_ec2.yml looks for it
    group = resources['Hosts']['Properties']
    assert group['HealthCheckType'] == 'ELB' and group['HealthCheckGracePeriod'] == {'Ref': 'HostGraceSeconds'}
    assert group['TargetGroupARNs'] == [{'Ref': 'Targets'}]
    assert {'DbHostParameter', 'AppRoute', 'AppRoutesA', 'AppRoutesB', 'Listener'} <= set(resources['Hosts']['DependsOn'])


def test_a_host_tells_how_it_went(resources):
    hosts = resources['Hosts']
    assert hosts['CreationPolicy']['ResourceSignal']['Count'] == hosts['Properties']['MinSize']
    update = hosts['UpdatePolicy']['AutoScalingRollingUpdate']
    assert update['WaitOnResourceSignals'] is True and 'ReplaceUnhealthy' in update['SuspendProcesses']
    script = resources['HostTemplate']['Properties']['LaunchTemplateData']['UserData']['Fn::Base64']['Fn::Sub']
    assert '--logical-resource-id Hosts' in script and script.index('trap tell EXIT') < script.index('ansible-playbook')
    assert 'X-aws-ec2-metadata-token' in script  # IMDSv2 alone answers


def test_what_a_new_host_does(resources, tmp_path):
    script = resources['HostTemplate']['Properties']['LaunchTemplateData']['UserData']['Fn::Base64']['Fn::Sub']
    assert script.startswith('#!/bin/bash\nset -euo pipefail\n')
    assert not re.search(r'password|secret', script, re.I)
    path = tmp_path / 'user-data'
    path.write_text(re.sub(r'\$\{[^}]*\}', 'x', script))
    subprocess.run(['bash', '-n', path], check=True)
    if shutil.which('shellcheck'):
        subprocess.run(['shellcheck', '-s', 'bash', path], check=True)


def test_rights_of_a_host(resources):
    role = resources['HostRole']['Properties']
    statements = [s for p in role['Policies'] for s in p['PolicyDocument']['Statement']]
    for s in statements:
        assert s['Effect'] == 'Allow' and isinstance(s['Action'], str) and '*' not in s['Action']
        resource = s['Resource'].get('Fn::Sub', '') if isinstance(s['Resource'], dict) else s['Resource']
        assert resource != '*' and not re.search(r':\*$|::\*', resource), s
    assert {s['Action'] for s in statements} == {
        'secretsmanager:GetSecretValue', 'ssm:GetParameter', 's3:GetObject', 'cloudformation:SignalResource'}


def test_the_load_balancer(resources):
    listeners = of(resources, 'AWS::ElasticLoadBalancingV2::Listener')
    assert listeners['Listener']['Protocol'] == 'HTTPS' and listeners['Listener']['SslPolicy'].startswith('ELBSecurityPolicy-TLS13-1-2-Res-')  # no CBC
    assert listeners['Redirect']['DefaultActions'][0]['RedirectConfig']['Protocol'] == 'HTTPS'
    targets = resources['Targets']['Properties']
    assert targets['Protocol'] == targets['HealthCheckProtocol'] == 'HTTPS' and targets['HealthCheckPath'] == '/health/ready'
    attributes = {a['Key']: a['Value'] for a in resources['Balancer']['Properties']['LoadBalancerAttributes']}
    assert attributes['routing.http.drop_invalid_header_fields.enabled'] == 'true'
    assert int(attributes['idle_timeout.timeout_seconds']) > 75  # nginx/fastcgi.conf: fastcgi_read_timeout


def test_connections_that_the_load_balancer_keeps(resources):
    """nginx keeps them longer: else the balancer sends a request into one that nginx has just closed, a 502."""
    attributes = {a['Key']: a['Value'] for a in resources['Balancer']['Properties']['LoadBalancerAttributes']}
    conf = (REPO / 'ansible/roles/nginx/templates/nginx.conf.j2').read_text()
    behind = conf[conf.index('{% if nginx_trusted_proxies %}\n\t\t#'):]
    assert int(re.search(r'keepalive_timeout (\d+)s;', behind)[1]) > int(attributes['idle_timeout.timeout_seconds'])
    assert 'nginx_trusted_proxies: [' in (REPO / 'ansible/inventories/production.example/group_vars/all/vars.yml').read_text()


def test_alarms_are_heard(template, resources):
    alarms = of(resources, 'AWS::CloudWatch::Alarm')
    assert len(alarms) >= 6
    for name, alarm in alarms.items():
        assert alarm['AlarmActions'] == alarm['OKActions'] == [{'Ref': 'Alarms'}] and alarm['AlarmDescription'], name
        assert resources[name]['Condition'] == ('WantReaderAlarms' if {'Ref': 'DbReplica'} in walk(alarm) else 'WantAlarms')
        of_the_database = {'Ref': 'Db'} in walk(alarm) or {'Ref': 'DbReplica'} in walk(alarm)
        assert alarm['Namespace'] == ('AWS/RDS' if of_the_database else 'AWS/ApplicationELB'), name
    lag = [(a['ComparisonOperator'], a['Threshold']) for a in alarms.values() if a['MetricName'] == 'ReplicaLag']
    assert sorted(lag) == [('GreaterThanThreshold', 60), ('LessThanThreshold', 0)]  # -1: replication has stopped
    assert resources['Alarms']['Properties']['Subscription'] == [{'Protocol': 'email', 'Endpoint': {'Ref': 'AlarmEmail'}}]
    assert template['Parameters']['AlarmEmail']['Default'] == ''


def test_the_secret_has_what_the_inventory_asks_of_it(tmp_path):
    """make-secret.sh with an aws of our own, which keeps what it is given."""
    (tmp_path / 'aws').write_text('#!/bin/sh\ncase "$*" in *describe-secret*) exit 1 ;; esac\n'
                                  'for w; do case $w in file://*) cat "${w#file://}" >"$KEPT" ;; esac; done\necho arn\n')
    (tmp_path / 'aws').chmod(0o755)
    (tmp_path / 'key.pem').write_text('-----BEGIN PRIVATE KEY-----\nx\n')
    done = subprocess.run([REPO / 'ansible/cloudformation/make-secret.sh', 'production', tmp_path / 'key.pem'], check=True, text=True,
                          capture_output=True, env={'PATH': f'{tmp_path}:{os.environ["PATH"]}', 'KEPT': str(tmp_path / 'kept')})
    assert done.stdout == 'arn\n'
    secret = json.loads((tmp_path / 'kept').read_text())
    wanted = set(re.findall(r'rowgate_aws\.(\w+)', (REPO / 'ansible/inventories/production.example/group_vars/all/vars.yml').read_text()))
    assert wanted <= set(secret) and all(secret.values())
    (key,) = json.loads(secret['signing_keys'])['keys']
    assert set(key) == {'kid', 'alg', 'created', 'active', 'key'} and key['key'].startswith('-----BEGIN PRIVATE KEY-----\n')


def test_no_secret_in_the_template():
    text = TEMPLATE.read_text()
    assert not re.search(r'AKIA[0-9A-Z]{16}', text) and 'BEGIN' not in text
    assert not re.search(r'arn:aws[a-z-]*:[a-z0-9]+:[a-z0-9-]*:\d{12}', text)


# ---- moto ----

MOTO = '''
import importlib.abc, importlib.machinery, json, os, sys
from unittest import mock


class Absent(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """moto imports what each of its services needs, whichever are used; what Debian leaves out is none of ours."""
    wanted = {'openapi_spec_validator', 'docker', 'jose', 'joserfc', 'py_partiql_parser', 'graphql', 'sshpubkeys', 'aws_xray_sdk',
              'cfnlint', 'crc32c', 'antlr4', 'multipart', 'jsonpath_ng', 'jsonschema', 'pyparsing', 'ecdsa', 'openapi_schema_validator'}

    def find_spec(self, name, path=None, target=None):
        if name.split('.')[0] in self.wanted:
            return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def create_module(self, spec):
        made = mock.MagicMock()
        made.__path__, made.__spec__, made.__name__ = [], spec, spec.name
        return made

    def exec_module(self, module):
        pass


sys.meta_path.append(Absent())
import boto3
from moto import mock_aws
body, parameters = open('/rowgate/template.json').read(), json.load(open('/rowgate/parameters.json'))
os.environ.update(AWS_ACCESS_KEY_ID='x', AWS_SECRET_ACCESS_KEY='x', AWS_DEFAULT_REGION='eu-central-1')
with mock_aws():
    c = {n: boto3.client(n) for n in ('cloudformation', 'ec2', 'rds', 'autoscaling', 'elbv2', 'iam', 'acm')}
    image = c['ec2'].describe_images()['Images'][0]['ImageId']
    parameters['ImageId'] = image
    parameters['CertificateArn'] = c['acm'].request_certificate(DomainName='api.example.com')['CertificateArn']
    c['cloudformation'].create_stack(StackName='rowgate', TemplateBody=body, Capabilities=['CAPABILITY_IAM'],
                                     Parameters=[{'ParameterKey': k, 'ParameterValue': v} for k, v in parameters.items()])
    made = c['cloudformation'].describe_stack_resources(StackName='rowgate')['StackResources']
    ids = {r['LogicalResourceId']: r['PhysicalResourceId'] for r in made}
    print(json.dumps({
        'status': c['cloudformation'].describe_stacks(StackName='rowgate')['Stacks'][0]['StackStatus'], 'ids': ids,
        'groups': c['ec2'].describe_security_groups(GroupIds=[ids[n] for n in ('BalancerGroup', 'AppGroup', 'DbGroup')])['SecurityGroups'],
        'subnets': c['ec2'].describe_subnets(Filters=[{'Name': 'vpc-id', 'Values': [ids['Vpc']]}])['Subnets'],
        'db': c['rds'].describe_db_instances()['DBInstances'],
        'hosts': c['autoscaling'].describe_auto_scaling_groups()['AutoScalingGroups'],
        'targets': c['elbv2'].describe_target_groups()['TargetGroups']}, default=str))
'''


def moto_root():
    """Debian trixie's python3-moto, unpacked: bookworm has none."""
    root = FOLDER / 'moto'
    if (root / 'usr/bin/python3').exists():
        return root
    if os.getuid() != 0 or not shutil.which('mmdebstrap'):
        pytest.skip('moto runs from a chroot: needs root and mmdebstrap')
    uri = subprocess.run("apt-get indextargets --format '$(REPO_URI) $(CODENAME)' 'Created-By: Packages' | awk '$2 !~ /-/ { print $1; exit }'",
                         shell=True, capture_output=True, text=True).stdout.strip()
    FOLDER.mkdir(parents=True, exist_ok=True)
    new = FOLDER / 'moto.new'
    shutil.rmtree(new, ignore_errors=True)
    done = subprocess.run(['mmdebstrap', '--quiet', '--mode=root', '--variant=extract',
                           '--include=base-files,dash,coreutils,python3,python3-moto,python3-boto3,ca-certificates',
                           '--aptopt=Acquire::Check-Valid-Until "false"', '--aptopt=Acquire::Check-Date "false"', 'trixie', str(new),
                           f'deb {uri} trixie main'], capture_output=True, text=True)
    if done.returncode:
        shutil.rmtree(new, ignore_errors=True)
        pytest.skip(f'no python3-moto in the archives of this machine: {done.stderr.strip()[-200:]}')
    for name in ('bin', 'sbin', 'lib', 'lib64'):
        if not (new / name).exists():
            (new / 'usr' / name).mkdir(parents=True, exist_ok=True)
            (new / name).symlink_to(f'usr/{name}')
    (new / 'dev').mkdir(exist_ok=True)
    for name, number in (('null', 3), ('urandom', 9)):
        if not (new / 'dev' / name).exists():
            subprocess.run(['mknod', '-m', '666', new / 'dev' / name, 'c', '1', str(number)], check=True)
    (new / 'tmp').mkdir(exist_ok=True)
    (new / 'etc/ssl/certs').mkdir(parents=True, exist_ok=True)
    shutil.copy('/etc/ssl/certs/ca-certificates.crt', new / 'etc/ssl/certs/ca-certificates.crt')
    new.rename(root)
    return root


def for_moto(template):
    """Without what moto does not know: endpoints of a database, secrets that are looked up, a launch template's newest version."""
    t = json.loads(json.dumps(template))
    for name in ('DbHostParameter', 'DbReaderParameter', 'Scaling', 'DbReplica'):
        del t['Resources'][name]
    del t['Outputs']
    t['Resources']['Db']['Properties']['MasterUserPassword'] = 'not-a-real-one'
    del t['Resources']['Db']['Properties']['DBParameterGroupName']
    t['Resources']['Hosts']['DependsOn'] = ['AppRoute']
    del t['Resources']['Hosts']['CreationPolicy']
    t['Parameters']['ImageId']['Type'] = 'String'
    for subnet in of(t['Resources'], 'AWS::EC2::Subnet').values():
        subnet['CidrBlock'] = f'10.0.{subnet["CidrBlock"]["Fn::Select"][0]}.0/24'  # what Fn::Cidr makes of it
    return t


def test_the_stack_in_moto(template):
    root = moto_root()
    (root / 'rowgate').mkdir(exist_ok=True)
    (root / 'rowgate/template.json').write_text(json.dumps(for_moto(template)))
    (root / 'rowgate/parameters.json').write_text(json.dumps({
        'ReleaseBucket': 'b', 'AlarmEmail': 'ops@example.com',
        'SecretArn': 'arn:aws:secretsmanager:eu-central-1:123456789012:secret:rowgate/production-x'}))
    (root / 'rowgate/run.py').write_text(MOTO)
    done = subprocess.run(['chroot', root, '/usr/bin/python3', '/rowgate/run.py'], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    made = json.loads(done.stdout.splitlines()[-1])
    ids = made['ids']
    assert made['status'] == 'CREATE_COMPLETE'
    groups = {g['GroupId']: g['IpPermissions'] for g in made['groups']}
    sources = [(p['FromPort'], [x['GroupId'] for x in p['UserIdGroupPairs']], p['IpRanges']) for p in groups[ids['DbGroup']]]
    assert sources == [(3306, [ids['AppGroup']], [])]
    assert [x['GroupId'] for p in groups[ids['AppGroup']] for x in p['UserIdGroupPairs']] == [ids['BalancerGroup']]
    assert len({s['CidrBlock'] for s in made['subnets']}) == 6 and len({s['AvailabilityZone'] for s in made['subnets']}) == 2
    assert [(d['Engine'], d['MultiAZ'], d['StorageEncrypted']) for d in made['db']] == [('mysql', True, True)]
    group = made['hosts'][0]
    assert (group['HealthCheckType'], group['HealthCheckGracePeriod'], group['MinSize']) == ('ELB', 900, 2)
    assert made['targets'][0]['HealthCheckPath'] == '/health/ready'
