using Holdfast.Log;
using Holdfast.Storage.S3;
using Holdfast.Storage.Sftp;

namespace Holdfast.Storage.Tests;

public sealed class StoreUrlTests
{
    [Fact]
    public void ABucketOfAmazonsNeedsNoMoreThanItsName()
    {
        S3Address address = Bucket("s3://backups");

        Assert.Equal(("backups", "", null, false), (address.Bucket, address.Prefix, address.Endpoint, address.PathStyle));
        Assert.Equal((null, null, null, null, TimeSpan.FromSeconds(60)), (address.Region, address.AuthoritiesFile, address.Profile, address.Retain, address.Timeout));
    }

    [Fact]
    public void AnAddressOfABucketSaysEverythingElse()
    {
        S3Address address = Bucket(
            "s3://backups/hosts/a%20b/?endpoint=https://[::1]:9000&region=eu-west-1&style=host&ca=/etc/ca.pem&profile=p&retain=30d&retain-mode=governance&staleness=5s&timeout=7");

        Assert.Equal("hosts/a b/", address.Prefix);
        Assert.Equal(new Uri("https://[::1]:9000"), address.Endpoint);
        Assert.Equal(("eu-west-1", false, "/etc/ca.pem", "p"), (address.Region, address.PathStyle, address.AuthoritiesFile, address.Profile));
        Assert.Equal((TimeSpan.FromDays(30), true), (address.Retain, address.RetainIsGovernance));
        Assert.Equal((TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(7)), (address.Staleness, address.Timeout));
    }

    [Fact]
    public void AnEndpointOfOnesOwnIsSpokenToByPath() => Assert.True(Bucket("s3://b?endpoint=http://h").PathStyle);

    [Theory]
    [InlineData("sftp://host/srv/vault", null, "host", null, "/srv/vault")]
    [InlineData("sftp://me@host:2222/srv/vault/", "me", "host", 2222, "/srv/vault")]
    [InlineData("sftp://me@[fe80::1]:22/v", "me", "fe80::1", 22, "/v")]
    [InlineData("sftp://host/~/vault", null, "host", null, "vault")]
    [InlineData("sftp://a%40b@host/with%20space%3f", "a@b", "host", null, "/with space?")]
    public void AnAddressOfAnotherMachineIsTakenApart(string text, string? user, string host, int? port, string root)
    {
        SftpAddress address = SftpAddress.Parse(StoreAddress.Parse(text));

        Assert.Equal((user, host, port, root), (address.User, address.Host, address.Port, address.Root));
    }

    [Fact]
    public void FilesOfSshAreNamedInTheAddress()
    {
        SftpAddress address = SftpAddress.Parse(StoreAddress.Parse("sftp://h/v?key=/k&known-hosts=/h&config=none&timeout=9s"));

        Assert.Equal(("/k", "/h", "none", TimeSpan.FromSeconds(9)), (address.KeyFile, address.KnownHostsFile, address.ConfigurationFile, address.Timeout));
    }

    [Theory]
    [InlineData("s3:bucket", "'//'")]
    [InlineData("s3://", "bucket")]
    [InlineData("s3:///prefix", "bucket")]
    [InlineData("s3://b:80/p", "port")]
    [InlineData("s3://u@b/p", "user")]
    [InlineData("s3://b/a//c", "prefix")]
    [InlineData("s3://b/../c", "prefix")]
    [InlineData("s3://b?endpoint=host:9000", "endpoint")]
    [InlineData("s3://b?endpoint=ftp://host", "endpoint")]
    [InlineData("s3://b?style=domain", "style=domain")]
    [InlineData("s3://b?retain=-1", "retain=-1")]
    [InlineData("s3://b?retain-mode=governance", "retain")]
    [InlineData("s3://b?timeout=0", "timeout=0")]
    [InlineData("s3://b?regoin=x", "'regoin' is not known")]
    [InlineData("s3://b?region", "no value")]
    [InlineData("s3://b?region=a&region=b", "twice")]
    [InlineData("s3://b/#x", "#")]
    [InlineData("sftp:/host", "'//'")]
    [InlineData("sftp:///path", "host")]
    [InlineData("sftp://host", "path")]
    [InlineData("sftp://host/", "'/'")]
    [InlineData("sftp://host/~/", "'/~/'")]
    [InlineData("sftp://host:0/p", "port")]
    [InlineData("sftp://host:x/p", "port")]
    [InlineData("sftp://[::1/p", "']'")]
    [InlineData("sftp://-oProxyCommand=x/p", "no name of a host")]
    [InlineData("sftp://-l@host/p", "no name of a user")]
    [InlineData("sftp://u:secret@host/p", "password")]
    [InlineData("s3://key:secret@b/p", "password")]
    public void WhatIsWrongWithAnAddressIsNamed(string text, string part)
    {
        HoldfastException error = Assert.Throws<HoldfastException>(() => ObjectStores.Open(text, Host.CreateReal()));

        Assert.Equal(ErrorKind.Usage, error.Kind);
        Assert.Contains(part, error.Message, StringComparison.Ordinal);
        Assert.NotNull(error.Hint);
        Assert.DoesNotContain("secret", error.Message + error.Hint, StringComparison.Ordinal);
    }

    private static S3Address Bucket(string text) => S3Address.Parse(StoreAddress.Parse(text));
}
