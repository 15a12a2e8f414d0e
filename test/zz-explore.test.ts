import { test } from 'node:test';
import { request } from 'node:http';
import { startUpstream, json, CHAT_ANSWER } from './helpers/fake-upstream.ts';
import { startApp, MASTER_KEY, expectStatus } from './helpers/start-app.ts';
import { makeLimits } from './helpers/limited-keys.ts';
const deep=(k:number)=>'['.repeat(k)+']'.repeat(k);
const L=(...a:any[])=>console.log(...a);
test('x',{timeout:100000},async(t)=>{
  let mode='';
  const up=await startUpstream(t,(req,res,{body})=>{
    const isStream=/"stream":true/.test(body.toString());
    if(mode==='wholeDeep'){ return json({choices:[{index:0,message:{role:'assistant',content:null,tool_calls:[{id:'a',type:'function',function:{name:'f',arguments:`{"a":${deep(50000)}}`}}]},finish_reason:'tool_calls'}]})(req,res,{} as any); }
    if(mode==='deepStream'){ res.writeHead(200,{'content-type':'text/event-stream'}); res.end(`data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":{"a":${deep(50000)}}}}]}}]}\n\ndata: [DONE]\n\n`); return; }
    if(mode==='stopAfterDone'){ res.writeHead(200,{'content-type':'text/event-stream'}); res.write(`data: {"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n`); return; }
    if(mode==='cookies'){ return json({...CHAT_ANSWER},200,{'set-cookie':'a=b','x-ipin-provider':'evil','request-id':'theirs','x-request-id':'t2','anthropic-organization-id':'org','anthropic-ratelimit-requests-limit':'5','cf-ray':'x','server':'s','x-ipin-error-code':'z'})(req,res,{} as any); }
    json(CHAT_ANSWER)(req,res,{} as any);
  });
  const app=await startApp(t,{env:{SSE_KEEPALIVE_MS:'200'}});
  await app.addProvider({id:'up',baseUrl:up.origin+'/v1',apiKey:'sk-up-secret-1234567890'},[{id:'m'},{id:'other',upstreamModel:'expensive'}]);
  await app.addProvider({id:'nat',baseUrl:up.origin+'/anthropic',apiKey:'sk-nat'},[{id:'nm',upstreamModel:'claude'}]);
  await expectStatus(200, await app.admin('PUT','/api/admin/settings',{defaultProviderId:'up'}));
  const ASK={model:'m',max_tokens:5,messages:[{role:'user',content:'x'}]};
  const post=(p:string,b:any,h:any={})=>fetch(app.origin+'/v1/'+p,{method:'POST',headers:{'content-type':'application/json','x-api-key':MASTER_KEY,...h},body:typeof b==='string'?b:JSON.stringify(b)});
  const show=async(n:string,r:Response)=>L(n,r.status,(await r.text()).slice(0,300));
  mode='wholeDeep'; await show('whole deep M',await post('messages',ASK)); await show('whole deep R',await post('responses',{model:'m',input:'x',tools:[{type:'tool_search',execution:'client'}]}));
  mode='deepStream'; await show('deep stream M',await post('messages',{...ASK,stream:true})); await show('deep stream R',await post('responses',{model:'m',input:'x',stream:true}));
  mode='stopAfterDone'; { const r=await post('messages',{...ASK,stream:true}); const rd=r.body!.getReader(); let txt=''; const end=Date.now()+1200; while(Date.now()<end){ const x=await Promise.race([rd.read(),new Promise<any>(r=>setTimeout(()=>r(null),300))]); if(x===null)continue; if(x.done){txt+='<END>';break} txt+=new TextDecoder().decode(x.value);} await rd.cancel().catch(()=>{}); L('after done:',txt.slice(-300)); }
  mode='cookies'; for(const p of ['messages','responses','chat/completions']){ const r=await post(p,p==='responses'?{model:'m',input:'x'}:ASK); L(p,[...r.headers].map(x=>x.join('=')).join(' | ')); await r.text(); }
  { const r=await post('messages',{...ASK,model:'nm'},{authorization:'Bearer sk-ant-subscription-0123456789','anthropic-beta':'a, b','anthropic-version':'2023','cookie':'x=y','x-stainless-lang':'js'}); L('native',r.status,JSON.stringify(up.received.at(-1)!.headers)); await r.text(); }
  mode='';
  const mk=async(f:any)=>((await expectStatus(201,await app.admin('POST','/api/admin/apikeys',{name:'k',...f}))) as any).key;
  const narrow=await mk({models:['m'],passThrough:true}); const free=await mk({passThrough:true,limits:makeLimits({budgetTokens:100,tpm:1000})});
  const raw=(path:string,key:string,method='POST',body:string|null='{}',ct='application/json')=>new Promise<string>((res,rej)=>{const n=up.received.length;const r=request({host:'127.0.0.1',port:app.port,method,path,agent:false,headers:{authorization:'Bearer '+key,...(body===null?{}:{'content-type':ct,'content-length':Buffer.byteLength(body)})}},(x)=>{let s='';x.on('data',d=>s+=d);x.on('end',()=>res(`${x.statusCode} ${up.received.length>n?'SENT '+up.received.at(-1)!.method+' '+up.received.at(-1)!.url+' '+up.received.at(-1)!.body.toString().slice(0,150):s.slice(0,120)}`))});r.on('error',rej);r.end(body??undefined)});
  for (const [p,m,b] of [['/v1/messages/batches','POST','{"model":"m","requests":[{"params":{"model":"other"}}]}'],['/v1/messages/batches','POST','{"requests":[{"params":{"model":"other"}}]}'],['/v1/batches','POST','{"input_file_id":"f"}'],['/v1/engines/other/completions','POST','{"prompt":"x"}'],['/v1/engines/other/completions','POST','{"model":"m"}'],['/v1/models/other','POST','{}'],['/v1/models/other:generateContent','POST','{"model":"m"}'],['/v1/things?Model=other','GET',null],['/v1/things?models=other','GET',null],['/v1/things?deployment_id=other','GET',null],['/v1/realtime/sessions','POST','{"session":{"model":"other"}}'],['/v1/chat/%63ompletions','POST','{"messages":[],"stream":true}'],['/v1/chat//completions','POST','{}'],['/v1/chat/completions;x','POST','{}'],['/v1/CHAT/completions','POST','{}'],['/v1/Responses','POST','{}'],['/v1/threads/runs','POST','{"assistant_id":"a"}'],['/v1/responses/resp_1','GET',null],['/v1/responses/resp_1/input_items','GET',null],['/v1/chat/completions','GET',null],['/v1/responses','GET',null],['/v1/messages','PATCH','{}'],['/v1/models/m','DELETE',null],['/v1/%2e%2e%2fadmin','GET',null],['/v1/..%2f..%2fadmin','GET',null],['/v1/a%2f..%2f..%2fadmin','GET',null],['/v1/a%5c..%5c','GET',null],['/v1//x','GET',null],['/v1/v1/files','GET',null]] as any) L('narrow',m,p,b,'=>',await raw(p,narrow,m,b));
  L('text ct',await raw('/v1/things',narrow,'POST','{"model":"other"}','text/plain'));
  L('json utf16',await raw('/v1/things',narrow,'POST','{"model":"other"}','application/json; charset=utf-16'));
  L('json text?model=m',await raw('/v1/things?model=m',narrow,'POST','{"model":"other"}','text/plain'));
  const form=(parts:string)=>parts; const B='multipart/form-data; boundary=x';
  L('form preamble',await raw('/v1/videos',narrow,'POST','content-disposition: form-data; name="model"\r\n\r\nm\r\n--\r\n--x\r\ncontent-disposition: form-data; name="file"\r\n\r\nq\r\n--x\r\ncontent-disposition: form-data; name="model"\r\n\r\nother\r\n--x--\r\n',B));
  L('form two models',await raw('/v1/videos',narrow,'POST','--x\r\ncontent-disposition: form-data; name="model"\r\n\r\nm\r\n--x\r\ncontent-disposition: form-data; name="model"\r\n\r\nother\r\n--x--\r\n',B));
  L('form unknown model master',await raw('/v1/videos',MASTER_KEY,'POST','--x\r\ncontent-disposition: form-data; name="model"\r\n\r\nft:theirs\r\n--x\r\ncontent-disposition: form-data; name="a"\r\n\r\nother\r\n--x--\r\n',B));
  L('form rel model free',await raw('/v1/videos',free,'POST','--x\r\ncontent-disposition: form-data; name="model"\r\n\r\nft:theirs\r\n--x--\r\n',B));
  L('files w/ model first',await raw('/v1/files',narrow,'POST','--x\r\ncontent-disposition: form-data; name="model"\r\n\r\nm\r\n--x\r\ncontent-disposition: form-data; name="file"; filename="a.jsonl"\r\n\r\n{"body":{"model":"other"}}\r\n--x--\r\n',B));
  L('alias limits',await raw('/v1/chat/%63ompletions',free,'POST','{"model":"m","stream":true,"messages":[],"max_tokens":100000}'));
  L('alias limits real',await raw('/v1/chat/completions',free,'POST','{"model":"m","stream":true,"messages":[],"max_tokens":100000}'));
  L('unknown model free', await raw('/v1/chat/completions',free,'POST','{"model":"nope","messages":[]}'));
  L('no model free', await raw('/v1/chat/completions',free,'POST','{"messages":[]}'));
  L('images no model', await raw('/v1/chat/completions',narrow,'POST','{"messages":[]}'));
  L('resp no model narrow', await raw('/v1/responses',narrow,'POST','{"input":"x"}'));
  L('mess no model narrow', await raw('/v1/messages',narrow,'POST','{"messages":[{"role":"user","content":"x"}],"max_tokens":5}'));
  L('form no model narrow', await raw('/v1/images/edits',narrow,'POST','--x\r\ncontent-disposition: form-data; name="image"; filename="a.png"\r\n\r\n\x89PNG\r\n--x--\r\n',B));
  L('emptymodel narrow', await raw('/v1/moderations',narrow,'POST','{"model":"","input":"x"}'));
  L('nullmodel narrow', await raw('/v1/moderations',narrow,'POST','{"model":null,"input":"x"}'));
  L('nomodel narrow pickers', await raw('/v1/chat/completions',narrow,'POST','{"models":["other"],"messages":[]}'));
  L('nomodel narrow query', await raw('/v1/chat/completions?model=other',narrow,'POST','{"messages":[]}'));
  L('case model', await raw('/v1/chat/completions',narrow,'POST','{"Model":"other","messages":[]}'));
  L(app.logs.filter(l=>/stack|internal/i.test(l)).map(l=>l.slice(0,300)).join('\n'));
});
