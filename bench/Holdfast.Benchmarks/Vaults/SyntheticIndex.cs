using Holdfast.Benchmarks.Tools;
using Holdfast.Log;
using Holdfast.Storage;
using Holdfast.Vault;
using Holdfast.Vault.Chunking;
using Holdfast.Vault.Indexing;
using Holdfast.Vault.Packing;
using Holdfast.Vault.Sealing;

namespace Holdfast.Benchmarks.Vaults;

/// <summary>Fills a vault with index objects of packs that were never written.</summary>
/// <remarks>
/// The ids are random, as those of real chunks are, so that no chunk of a corpus is among them; a lookup costs what it
/// costs in a vault of that size. Memory is that of one index object.
/// </remarks>
internal static class SyntheticIndex
{
    private const int ChunksPerIndex = 1 << 20;
    private const int ChunksPerPack = 400;
    private const int ChunkBytes = 64 << 10;

    public static void Fill(string repository, int chunks, int seed, Action<string> tell)
    {
        Host host = Host.CreateReal();
        IObjectStore store = ObjectStores.Open(repository, host);
        using var secret = new VaultSecret(HoldfastTool.PasswordBytes);
        using OpenVault vault = OpenVault.OpenAsync(host, store, secret).GetAwaiter().GetResult();
        var random = new Random(seed);
        var session = SessionId.Create(host.Entropy);
        uint number = 0;
        for (int done = 0; done < chunks; number++)
        {
            int count = Math.Min(ChunksPerIndex, chunks - done);
            string name = IndexObject.Name(session, number);
            byte[] content = IndexObject.Build(vault.Sealer, name, Packs(session, number * ChunksPerIndex, count, random));
            store.PutIfAbsentAsync(name, content, CancellationToken.None).GetAwaiter().GetResult();
            done += count;
            if (number % 8 == 7 || done == chunks) tell($"{done / 1e6:F1} M of {chunks / 1e6:F1} M chunks indexed");
        }
    }

    private static List<PackFooter> Packs(SessionId session, uint firstNumber, int chunks, Random random)
    {
        var packs = new List<PackFooter>();
        for (int done = 0; done < chunks; done += ChunksPerPack)
        {
            packs.Add(Pack(new PackId(ObjectKind.DataPack, session, firstNumber + (uint)packs.Count), Math.Min(ChunksPerPack, chunks - done), random));
        }

        return packs;
    }

    private static PackFooter Pack(PackId id, int chunks, Random random)
    {
        var listed = new PackChunk[chunks];
        Span<byte> bytes = stackalloc byte[ChunkId.Size];
        for (int i = 0; i < chunks; i++)
        {
            random.NextBytes(bytes);
            listed[i] = new PackChunk(ChunkId.Decode(bytes), i, 0, ChunkBytes);
        }

        return new PackFooter
        {
            Pack = id,
            WriterId = 0,
            Epoch = 1,
            Cipher = Aead.Preferred,
            KeyId = 0,
            SealedKey = new byte[PackFooter.SealedKeyBytes],
            PackBytes = PackFooter.MaxPackBytes,
            FooterBytes = chunks * (PackBody.ChunkBytes + PackBody.GroupBytes),
            Groups = [],
            Chunks = listed,
        };
    }
}
