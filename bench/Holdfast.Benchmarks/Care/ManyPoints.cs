using Holdfast.Benchmarks.Tools;
using Holdfast.Log;
using Holdfast.Storage;
using Holdfast.Vault;
using Holdfast.Vault.Points;
using Holdfast.Vault.Sealing;

namespace Holdfast.Benchmarks.Care;

/// <summary>Adds points to a vault that has one: the same tree an hour later each, with references of its own.</summary>
/// <remarks>Put object by object with the vault's own keys: thousands of backups would take an hour, and leave the same.</remarks>
internal static class ManyPoints
{
    private const int PutsAtOnce = 16;

    public static void Add(string repository, int count) => AddAsync(repository, count).GetAwaiter().GetResult();

    private static async Task AddAsync(string repository, int count)
    {
        Host host = Host.CreateReal();
        IObjectStore store = ObjectStores.Open(repository, host);
        using var secret = new VaultSecret(HoldfastTool.PasswordBytes);
        using OpenVault vault = await OpenVault.OpenAsync(host, store, secret);
        RestorePoint first = (await RestorePoints.ListAsync(vault, CancellationToken.None))[0];
        byte[] references = await ReferenceSet.TryReadBodyAsync(vault, first.References, CancellationToken.None) ?? [];
        DateTimeOffset start = first.Time.AddHours(-count);
        var options = new ParallelOptions { MaxDegreeOfParallelism = PutsAtOnce };
        await Parallel.ForEachAsync(Enumerable.Range(0, count), options, async (i, cancellationToken) =>
        {
            var id = SessionId.Create(host.Entropy);
            RestorePoint point = first with { Id = id, Time = start.AddHours(i), References = id };
            await PutAsync(vault, ObjectKind.References, ReferenceSet.Name(id), references, cancellationToken);
            await PutAsync(vault, ObjectKind.Point, PointCodec.Name(id), PointCodec.Encode(point), cancellationToken);
        });
    }

    private static async Task PutAsync(OpenVault vault, ObjectKind kind, string name, byte[] body, CancellationToken cancellationToken) =>
        await vault.Store.PutIfAbsentAsync(name, vault.Sealer.Seal(kind, name, body), cancellationToken);
}
