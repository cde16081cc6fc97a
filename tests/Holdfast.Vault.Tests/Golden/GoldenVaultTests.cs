using Holdfast.Testing;

namespace Holdfast.Vault.Tests.Golden;

/// Goal: what a version wrote, every later one reads, and what is damaged in it is named as it was.
/// Method: tests/golden holds one vault for each damage that has a name, and a text for each that says all that can be read of
/// it. How one is added: CONTRIBUTING.md.
[Trait("Category", "Golden")]
public sealed class GoldenVaultTests
{
    private static readonly SemaphoreSlim Making = new(1);

    /// <summary>Those that this version would make, and all that are there.</summary>
    public static TheoryData<string> Vaults => [.. GoldenVaults.Names.Union(GoldenFiles.Names(".tar")).Order(StringComparer.Ordinal)];

    public static TheoryData<string> Exports => [.. new[] { GoldenVaults.Export }.Union(GoldenFiles.Names(".export")).Order(StringComparer.Ordinal)];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory, MemberData(nameof(Vaults))]
    public async Task AGoldenVaultIsReadAsItAlwaysWas(string name)
    {
        await AddMissingAsync(name, ".tar", async () => GoldenFiles.Write(name, await GoldenVaults.MakeAsync(name, Token)));

        var clock = new SimulatedClock();
        await AssertDescribedAsync(name, await GoldenDescription.OfVaultAsync(GoldenFiles.Read(name, clock), clock, Token));
    }

    [Theory, MemberData(nameof(Exports))]
    public async Task AGoldenExportIsAppliedAsItAlwaysWas(string name)
    {
        await AddMissingAsync(name, ".export", async () => File.WriteAllBytes(GoldenFiles.PathOf(name, ".export"), await GoldenVaults.MakeExportAsync(Token)));

        await AssertDescribedAsync(name, await GoldenDescription.OfExportAsync(File.ReadAllBytes(GoldenFiles.PathOf(name, ".export")), Token));
    }

    private static async Task AddMissingAsync(string name, string extension, Func<Task> make)
    {
        if (File.Exists(GoldenFiles.PathOf(name, extension))) return;
        Assert.True(GoldenFiles.IsAdding, $"tests/golden/{name}{extension} is missing: \"./dev golden add\" makes it");
        await Making.WaitAsync(Token);
        try
        {
            await make();
        }
        finally
        {
            Making.Release();
        }
    }

    private static async Task AssertDescribedAsync(string name, string description)
    {
        string path = GoldenFiles.PathOf(name, ".txt");
        if (!File.Exists(path))
        {
            Assert.True(GoldenFiles.IsAdding, $"tests/golden/{name}.txt is missing: \"./dev golden add\" makes it");
            await File.WriteAllTextAsync(path, description, Token);
        }

        Assert.Equal(await File.ReadAllTextAsync(path, Token), description);
    }
}
