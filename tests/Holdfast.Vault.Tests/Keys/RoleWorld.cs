using Holdfast.Files;
using Holdfast.Log;
using Holdfast.Storage;
using Holdfast.Testing;
using Holdfast.Vault.Keys;
using Holdfast.Vault.Packing;
using Holdfast.Vault.Sealing;
using Holdfast.Vault.Tests.Faults;

namespace Holdfast.Vault.Tests.Keys;

/// <summary>A vault in memory whose keys are rings, without the cost of passwords; a source on the real disk.</summary>
internal sealed class RoleWorld : IDisposable
{
    private readonly FaultWorld sources = new();
    private readonly SimulatedEntropy entropy = new(77);
    private int hosts;

    public RoleWorld()
    {
        Store = new MemoryObjectStore(Clock);
        Store.Overwrite(VaultDescriptor.Name, VaultDescriptor.Encode(FaultWorld.VaultId));
    }

    public MemoryObjectStore Store { get; }

    public SimulatedClock Clock { get; } = new();

    /// <summary>The first admin's.</summary>
    public KeyRing Root { get; } = TestKeys.Ring();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>The slot of the key that was added last.</summary>
    public string LastSlot { get; private set; } = "";

    /// <summary>A key of a role that the first admin certified, with a slot that no password opens.</summary>
    public async Task<KeyRing> AddAsync(KeyRole role)
    {
        KeyRing ring = Root.NewMember(role, role.ToString(), entropy, Clock.GetUtcNow());
        string slot = KeyDirectory.NewId(entropy);
        await WriterStatement.PutAsync(Store, new ObjectSealer(Root, entropy), WriterCertificate.Of(ring, slot), Token);
        LastSlot = KeyDirectory.Prefix + slot;
        Store.Overwrite(LastSlot, TestKeys.Slot());
        return ring;
    }

    /// <summary>Opens the vault with a ring as it was when the key was made.</summary>
    public Task<OpenVault> OpenAsync(KeyRing ring) => OpenAsync(ring, Store);

    /// <summary>The same of a copy of it.</summary>
    public Task<OpenVault> OpenAsync(KeyRing ring, IObjectStore store)
    {
        int seed = 100 + hosts++;
        var host = new Host(new SimulatedDisk(seed), Clock, new SimulatedEntropy(seed));
        return OpenVault.OpenAsync(host, store, FaultWorld.VaultId, "0000000000000000", ring, 4 << 20, Token);
    }

    public (string Path, DirectoryTree Tree) Source(string name, params (string Name, byte[] Content)[] files) => sources.Source(name, files);

    public async Task<SessionId> BackupAsync(KeyRing ring, IFileTree tree)
    {
        using OpenVault vault = await OpenAsync(ring);
        return (await FaultWorld.BackupAsync(vault, tree, Token)).Point!.Value;
    }

    /// <summary>The points that a key sees.</summary>
    public async Task<IReadOnlyList<SessionId>> PointsAsync(KeyRing ring)
    {
        using OpenVault vault = await OpenAsync(ring);
        return [.. (await RestorePoints.ListAsync(vault, Token)).Select(point => point.Id)];
    }

    /// <summary>Restores a point with a key, every chunk of it verified, and compares it with a directory.</summary>
    public async Task AssertIsAsync(KeyRing ring, SessionId point, string path)
    {
        using OpenVault vault = await OpenAsync(ring);
        await FaultWorld.AssertIsAsync(vault, (await RestorePoints.ListAsync(vault, Token)).Single(candidate => candidate.Id == point), path);
    }

    /// <summary>The packs of a kind in the vault.</summary>
    public PackId[] Packs(ObjectKind kind) =>
        [.. Store.Names.Select(name => PackId.TryParse(name, out PackId pack) ? pack : default).Where(pack => pack.Kind == kind)];

    /// <summary>
    /// What a client can do that heeds no rule: tries each 32 bytes of its ring as the private key, and as the pack's key itself.
    /// </summary>
    public async Task<bool> CanOpenByForceAsync(KeyRing ring, PackId pack)
    {
        using OpenVault root = await OpenAsync(Root);
        PackFooter footer = (await root.Index.TryGetFooterAsync(pack, Token))!;
        byte[] publicKey = Root.Epoch(footer.Epoch, "test").PackPublicKey(pack.Kind), opened = new byte[Aead.KeyBytes];
        byte[] encoded = ring.Encode();
        byte[] group = new byte[footer.Groups[0].SealedBytes];
        await Store.ReadAsync(pack.ObjectName, footer.Groups[0].Offset, group, Token);
        for (int at = 0; at + Aead.KeyBytes <= encoded.Length; at++)
        {
            ReadOnlySpan<byte> key = encoded.AsSpan(at, Aead.KeyBytes);
            if (Libsodium.TryBoxOpen(footer.SealedKey, publicKey, key, opened)) return true;
            using var cipher = new Aead(footer.Cipher, key);
            if (cipher.TryOpen(0, group, new byte[group.Length - Aead.TagBytes])) return true;
        }

        return false;
    }

    /// <summary>Whether any key of a pack can be opened with any 32 bytes of a ring, heeding no rule. The vault is opened with a key that reads all.</summary>
    public static async Task<bool> CanOpenAnyAsync(KeyRing ring, OpenVault vault, PackId pack)
    {
        PackFooter footer = (await vault.Index.TryGetFooterAsync(pack, Token))!;
        byte[] encoded = ring.Encode(), opened = new byte[Aead.KeyBytes];
        foreach (PackGroup group in footer.Groups)
        {
            foreach (KeyEpoch epoch in vault.Sealer.Ring.Epochs)
            {
                for (int at = 0; at + Aead.KeyBytes <= encoded.Length; at++)
                {
                    if (Libsodium.TryBoxOpen(footer.KeyOf(group).SealedKey, epoch.PackPublicKey(pack.Kind), encoded.AsSpan(at, Aead.KeyBytes), opened)) return true;
                }
            }
        }

        return false;
    }

    public void Dispose() => sources.Dispose();
}
