using Holdfast.Testing;
using Holdfast.Testing.Services;

namespace Holdfast.System.Tests;

/// Vaults on other machines, through the real binary.
public sealed class StoreTests(RemoteServices services) : IDisposable
{
    private readonly SystemFixture world = new();

    public void Dispose() => world.Dispose();

    [Theory]
    [InlineData("s3")]
    [InlineData("sftp")]
    public async Task AVaultOnAnotherMachineDoesWhatOneInADirectoryDoes(string kind)
    {
        world.Variables["HOLDFAST_VAULT"] = NewAddress(kind);
        await world.InitAsync();
        world.Write("letters/ada.txt", "Dear Ada");
        world.WriteRandom("pictures/large.raw", seed: 1, 40_000_000);
        world.WriteRandom("gone.raw", seed: 2, 3_000_000);
        TreeSnapshot before = TreeSnapshot.Take(world.Source);
        string first = await world.BackupPointAsync();
        File.Delete(Path.Combine(world.Source, "gone.raw"));
        world.Write("letters/ada.txt", "Dear Ada, see you on Monday");
        TreeSnapshot after = TreeSnapshot.Take(world.Source);
        string second = await world.BackupPointAsync();

        await world.ExpectRestoredAsync(first, before);
        await world.ExpectRestoredAsync("latest", after);
        await world.ExpectAsync(0, "check", "--read-data");
        await world.ExpectAsync(0, "forget", first);
        HoldfastResult pruned = await world.ExpectAsync(0, "prune", "--json");
        Assert.Equal([second], await world.PointsAsync());
        await world.ExpectAsync(0, "check", "--read-data");
        await world.ExpectRestoredAsync(second, after);
        HoldfastResult again = await world.ExpectAsync(15, "init");
        Assert.Contains("there is a vault already", again.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("correct horse", pruned.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task AVaultIsCopiedFromABucketToAnotherMachine()
    {
        string bucket = NewAddress("s3"), machine = NewAddress("sftp");
        world.Variables["HOLDFAST_VAULT"] = bucket;
        await world.InitAsync();
        world.WriteRandom("a.raw", seed: 3, 2_000_000);
        await world.BackupPointAsync();
        await world.ExpectAsync(0, "init", "-r", machine, "--secrets-of", bucket);
        await world.ExpectAsync(0, "copy", "--from", bucket, "-r", machine);

        world.Variables["HOLDFAST_VAULT"] = machine;

        Assert.Single(await world.PointsAsync());
        await world.ExpectRestoredAsync("latest", TreeSnapshot.Take(world.Source));
    }

    [Fact]
    public async Task NoVaultIsMadeWhereConditionsAreIgnored()
    {
        using var fake = new FakeS3 { IgnoresConditions = true };
        // So that the credentials are there.
        world.Variables["HOLDFAST_VAULT"] = services.S3.NewAddress(endpoint: fake.Endpoint);

        HoldfastResult result = await world.ExpectAsync(15, "init");

        Assert.Contains("If-None-Match", result.Error, StringComparison.Ordinal);
        Assert.Empty(fake.Keys);
    }

    [Fact]
    public async Task MissingCredentialsAreNamed()
    {
        using var fake = new FakeS3();
        world.Variables["HOLDFAST_VAULT"] = services.S3.NewAddress(endpoint: fake.Endpoint);
        foreach (string name in (string[])["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]) world.Variables[name] = "";
        world.Variables["AWS_SHARED_CREDENTIALS_FILE"] = world.PathOf("none");
        world.Variables["AWS_EC2_METADATA_DISABLED"] = "true";
        world.Variables["HOME"] = world.Root;

        HoldfastResult result = await world.ExpectAsync(12, "init");

        Assert.Contains("AWS_ACCESS_KEY_ID", result.Error, StringComparison.Ordinal);
        Assert.Equal(0, fake.Requests);
    }

    [Fact]
    public async Task ACommandThatNeedsNoBucketLoadsNothingOfIt()
    {
        string[] tracing = ["strace", "-f", "-e", "trace=open,openat", "-o", world.PathOf("trace")];
        using HoldfastProcess process = HoldfastProcess.Start(world.Variables, world.Root, ["--version"], tracing);
        process.Input.Close();
        HoldfastResult result = await process.WaitAsync();

        Assert.Equal(0, result.Code);
        string trace = await File.ReadAllTextAsync(world.PathOf("trace"));
        Assert.Contains("holdfast", trace, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("AWSSDK", trace, StringComparison.OrdinalIgnoreCase);
    }

    private string NewAddress(string kind) => kind == "s3" ? services.S3.NewAddress() : services.Sftp.NewPlace().Address;
}
